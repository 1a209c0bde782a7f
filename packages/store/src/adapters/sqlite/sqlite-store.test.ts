import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@parley/runtime';
import { storeContract } from '../../contract/store.contract.ts';
import { openMemoryStore } from '../../testing.ts';
import { createSqliteStore } from './store.ts';
import { openSqliteWriter } from './writer.ts';

storeContract('SQLite in a file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-store-'));
  const open = () => openSqliteWriter({ path: join(directory, 'parley.db'), clock: systemClock });
  let writer = open();
  const storeOf = () => createSqliteStore({ writer, database: 'contract', clock: systemClock });
  let store = storeOf();
  return {
    store,
    async reopen() {
      await store.close();
      await writer.close();
      writer = open();
      store = storeOf();
      return store;
    },
    async close() {
      await store.close();
      await writer.close();
      rmSync(directory, { recursive: true });
    },
  };
});

storeContract('SQLite in memory', async () => {
  const memory = openMemoryStore();
  return { store: memory.store('contract'), close: () => memory.close() };
});
