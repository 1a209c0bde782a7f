export { presenceCollections, presenceTopics } from './collections.ts';
export { type PresenceConfig, presenceConfigSchema } from './config.ts';
export { err as presenceErrors } from './errors.ts';
export { createPresence, type PresenceDeps } from './module.ts';
