export { sessionCollections } from './collections.ts';
export { type SessionConfig, sessionConfigSchema } from './config.ts';
export { sessionErrors } from './errors.ts';
export { createSession, type SessionDeps } from './module.ts';

/** Session appends nothing to the event log. */
export const sessionTopics = [] as const;
