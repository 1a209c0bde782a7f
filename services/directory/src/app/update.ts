import type { Collection, Doc } from '@parley/store';
import { directoryErrors as err } from '../errors.ts';

/** More often than others can get in between, unless something is wrong. */
export const maxTries = 64;

/**
 * Reads, decides and stores until nobody got in between. `decide` answers undefined when nothing is to change; what it
 * throws ends the update. Returns the document as it stands now.
 */
export async function update<T extends Doc>(
  collection: Collection<T>,
  id: string,
  decide: (doc: T) => T | undefined,
): Promise<T | undefined> {
  for (let i = 0; i < maxTries; i++) {
    const doc = await collection.get(id);
    if (!doc) return undefined;
    const next = decide(doc);
    if (!next) return doc;
    const result = await collection.replace(next, revisionOf(doc));
    if (result.replaced) return { ...next, _rev: result.revision };
    if (result.reason === 'missing') return undefined;
  }
  throw err('directory.busy');
}

/** The store gives every document that it returns a revision. */
export function revisionOf(doc: Doc): number {
  return doc._rev as number;
}

const batch = 1000;

/** Reads any number of documents, as many at a time as the store allows; between batches others have their turn. */
export async function getAll<T extends Doc>(
  collection: Collection<T>,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, T>> {
  const wanted = [...new Set(ids)];
  const found = new Map<string, T>();
  for (let i = 0; i < wanted.length; i += batch) {
    if (i > 0) await new Promise(resolve => setImmediate(resolve));
    for (const doc of await collection.getMany(wanted.slice(i, i + batch))) found.set(doc._id, doc);
  }
  return found;
}
