import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Copies the write-ahead log into the database file, on request, with a connection of its own. */
const { path } = workerData as { readonly path: string };
const db = new DatabaseSync(path, { timeout: 5000 });
db.exec('PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1024');
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort?.on('message', () => {
  try {
    parentPort?.postMessage({ pages: (checkpoint.get() as { log: number }).log });
  } catch (error) {
    parentPort?.postMessage({ error: (error as Error).message });
  }
});
