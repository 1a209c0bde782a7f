import { type ImConfig, imConfigSchema } from './config.ts';
import { imTopicsFor } from './module.ts';

export { imCollections } from './collections.ts';
export { type ImConfig, imConfigSchema } from './config.ts';
export { imErrors } from './errors.ts';
export { createIm, type ImDeps, imTopicsFor } from './module.ts';

/** Topics with the partitions of the defaults; `imTopicsFor(config)` takes them from the configuration. */
export const imTopics = imTopicsFor(imConfigSchema.parse({}) satisfies ImConfig);
