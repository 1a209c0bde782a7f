import { type BulkReader, PORTION_BYTES, PORTION_DOCUMENTS } from '../../bulk-read.ts';
import { refuse } from '../../errors.ts';
import { checkSpec } from '../../spec.ts';
import type { CollectionSpec, Doc } from '../../store.ts';
import { decode, type Stored } from './codec.ts';
import { createMongoClient } from './driver.ts';
import { failure } from './errors.ts';

/** Where to read. */
export interface MongoBulkReaderOptions {
  /** As in `connectMongoStore`. */
  readonly url: string;
  /** Name of the service's database. */
  readonly database: string;
  /** How long a server is looked for, milliseconds; default 5,000. */
  readonly serverSelectionMs?: number;
}

/** Connects and reads one service's collections. */
export async function connectMongoBulkReader(options: MongoBulkReaderOptions): Promise<BulkReader> {
  const { url, database, serverSelectionMs = 5000 } = options;
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(database)) refuse('store.bad_spec', `database name "${database}" is not allowed`);
  const client = createMongoClient(url, {
    appName: 'parley-bulk',
    serverSelectionTimeoutMS: serverSelectionMs,
    readPreference: 'primary',
    maxPoolSize: 4,
    promoteBuffers: true,
  });
  const db = client.db(database);
  const asking = async <R>(work: () => Promise<R>): Promise<R> => {
    try {
      return await work();
    } catch (error) {
      throw failure(error, false);
    }
  };
  try {
    await client.connect();
    await db.command({ hello: 1 });
  } catch (error) {
    await client.close();
    throw failure(error, false);
  }
  return {
    async *read<T extends Doc>(spec: CollectionSpec<T>) {
      const { name } = checkSpec(spec);
      const cursor = db.collection<Stored>(name).find({}, { batchSize: PORTION_DOCUMENTS, raw: false });
      try {
        let portion: T[] = [];
        let bytes = 0;
        for (;;) {
          const stored = await asking(() => cursor.next());
          if (stored === null) break;
          portion.push(decode<T>(stored));
          for (const field in stored) bytes += sizeOf(stored[field]);
          if (portion.length < PORTION_DOCUMENTS && bytes < PORTION_BYTES) continue;
          yield portion;
          portion = [];
          bytes = 0;
        }
        if (portion.length > 0) yield portion;
      } finally {
        await cursor.close().catch(() => undefined);
      }
    },
    count: (spec, cap) =>
      asking(() => db.collection(checkSpec(spec).name).countDocuments({}, cap === undefined ? {} : { limit: cap })),
    close: () => client.close(),
  };
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 8;
