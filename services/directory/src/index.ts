import type { TopicSpec } from '@parley/event-log';

export type { Ensured, EnsurePersonCommand } from './app/ensure-person.ts';
export type { ImportPersonRow } from './app/import/check-row.ts';
export type { ImportFileOptions } from './app/import/import-file.ts';
export type { ImportOutcome } from './app/import/import-people.ts';
export { directoryCollections } from './collections.ts';
export { type DirectoryConfig, directoryConfigSchema } from './config.ts';
export type { RoleName } from './domain/roles.ts';
export { directoryErrors } from './errors.ts';
export { createDirectory, type DirectoryDeps, type DirectoryModule } from './module.ts';

/** The directory keeps no log. */
export const directoryTopics: readonly TopicSpec[] = [];
