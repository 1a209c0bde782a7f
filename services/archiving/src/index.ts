import type { TopicSpec } from '@parley/event-log';

export { createCheckpointCopy } from './adapters/files/checkpoint-copy.ts';
export { type CheckpointPems, checkpointKeyId, createCheckpointSigner } from './adapters/files/checkpoint-signer.ts';
export { archivingCollections } from './collections.ts';
export { type ArchivingConfig, archivingConfigSchema } from './config.ts';
export { archivingErrors } from './errors.ts';
export { type ArchivingDeps, createArchiving } from './module.ts';
export type { CheckpointCopy } from './ports/checkpoint-copy.ts';
export type { CheckpointSigner } from './ports/checkpoint-signer.ts';

/** Archiving reads the topic `archive`; im, which writes it, declares it. */
export const archivingTopics: readonly TopicSpec[] = [];
