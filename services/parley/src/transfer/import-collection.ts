import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@parley/runtime';
import { type Collection, type Doc, type InsertResult, StoreError, storeLimits } from '@parley/store';
import { documentsOf } from './documents.ts';

/** Large portions: SQLite writes each with one commit, MongoDB's adapter divides them. */
const PORTION_DOCUMENTS = 5_000;
const PORTION_BYTES = 16 * 1024 * 1024;
/** Portions on their way at the same time. */
const TOGETHER = 4;
/** Waits before a portion is tried again, milliseconds. */
const RETRY_MS = [250, 1_000, 4_000, 10_000];
const PASSING = new Set(['store.unavailable', 'store.timeout', 'store.overloaded']);

/** What importing a collection needs. */
export interface ImportCollectionOptions {
  readonly name: string;
  readonly collection: Collection<Doc>;
  readonly file: string;
  readonly clock: Clock;
  /** Documents there so far. */
  readonly progress: (documents: number) => void;
}

/**
 * Inserts every document of a file. One that is there already must be the same: so what was cut off can be repeated, and
 * nothing is mixed into what others wrote. Resolves with the number of documents in the file.
 */
export async function importCollection(options: ImportCollectionOptions): Promise<number> {
  const { name, collection, file, clock, progress } = options;
  let documents = 0;
  let failed: unknown;
  const under = new Set<Promise<void>>();

  async function put(docs: readonly Doc[]): Promise<void> {
    const results = await persistently(() => collection.insertMany(docs), clock);
    const there = docs.filter((_, i) => !results[i]?.inserted);
    if (there.length > 0) await compare(docs, results);
    documents += docs.length;
    progress(documents);
  }

  async function compare(docs: readonly Doc[], results: readonly InsertResult[]): Promise<void> {
    const ids: string[] = [];
    for (const [i, result] of results.entries()) {
      if (result.inserted) continue;
      const id = (docs[i] as Doc)._id;
      if (result.existingId !== id)
        throw new Error(
          `${name}: ${id} cannot be there beside ${result.existingId}: both have the same ${result.index}`,
        );
      ids.push(id);
    }
    const found = new Map<string, Doc>();
    for (let i = 0; i < ids.length; i += storeLimits.getMany)
      for (const doc of await persistently(() => collection.getMany(ids.slice(i, i + storeLimits.getMany)), clock))
        found.set(doc._id, doc);
    for (const doc of docs) {
      const other = found.get(doc._id);
      if (!other) continue;
      const { _rev: _, ...content } = other;
      if (!isDeepStrictEqual(content, { ...doc }))
        throw new Error(`${name}: ${doc._id} is there and is another document; import into an empty installation`);
    }
  }

  for (const { docs } of documentsOf(file, PORTION_DOCUMENTS, PORTION_BYTES)) {
    const work = put(docs)
      .catch((error: unknown) => {
        failed ??= error;
      })
      .finally(() => under.delete(work));
    under.add(work);
    if (under.size >= TOGETHER) await Promise.race(under);
    if (failed !== undefined) break;
  }
  await Promise.all(under);
  if (failed !== undefined) throw failed;
  return documents;
}

/** Everything here may be repeated, so what may pass is waited for. */
async function persistently<T>(work: () => Promise<T>, clock: Clock): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const wait = RETRY_MS[attempt];
      if (wait === undefined || !(error instanceof StoreError) || !PASSING.has(error.code)) throw error;
      await clock.sleep(wait);
    }
  }
}
