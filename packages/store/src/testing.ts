import { type Clock, systemClock } from '@parley/runtime';
import { createSqliteStore } from './adapters/sqlite/store.ts';
import { type GroupCommitWriter, openSqliteWriter } from './adapters/sqlite/writer.ts';
import type { Store } from './store.ts';

/** A database in memory, for tests. */
export interface MemoryStores {
  /** Shared by all stores, and by whatever else takes a writer. */
  readonly writer: GroupCommitWriter;
  /** The store of one service; still to be migrated. */
  store(database: string): Store;
  close(): Promise<void>;
}

/** Opens one. Same code and same behaviour as with a file, but nothing is kept. */
export function openMemoryStore(
  options: { readonly clock?: Clock; readonly sweepEveryMs?: number } = {},
): MemoryStores {
  const clock = options.clock ?? systemClock;
  const writer = openSqliteWriter({ path: ':memory:', clock });
  const stores = new Map<string, Store>();
  return {
    writer,
    store(database) {
      let found = stores.get(database);
      if (!found) {
        const { sweepEveryMs } = options;
        found = createSqliteStore({ writer, database, clock, ...(sweepEveryMs === undefined ? {} : { sweepEveryMs }) });
        stores.set(database, found);
      }
      return found;
    },
    async close() {
      for (const store of stores.values()) await store.close();
      await writer.close();
    },
  };
}
