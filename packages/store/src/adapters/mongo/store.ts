import { type Clock, createLoop, type Logger, type Metrics } from '@parley/runtime';
import { refuse, StoreError } from '../../errors.ts';
import { type CheckedSpec, checkSpec, type OrderedIndex } from '../../spec.ts';
import type { Collection, CollectionSpec, Doc, Store } from '../../store.ts';
import { createSweeper } from '../../sweeper.ts';
import type { Stored } from './codec.ts';
import { type MongoMeters, mongoCollection } from './collection.ts';
import { createMongoClient } from './driver.ts';
import { failure } from './errors.ts';
import { checkMigrated, migrateCollection } from './migrate.ts';

/** How to connect. */
export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`, credential included; never logged. */
  readonly url: string;
  /** Name of the service's database, `[a-z][a-z0-9_]{0,30}`. */
  readonly database: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** How long a call looks for a server that takes writes, milliseconds; default 5,000. */
  readonly serverSelectionMs?: number;
  /** How long a connection attempt may take, milliseconds; default 5,000. */
  readonly connectMs?: number;
  /** How long an answer may take, milliseconds; default 10,000. */
  readonly answerMs?: number;
  /** How long a write waits for the majority, milliseconds; default 5,000. */
  readonly majorityMs?: number;
  /** How often servers are asked for a sign of life, milliseconds; default 10,000. Changes they announce by themselves. */
  readonly heartbeatMs?: number;
  /** Most connections; default 20. */
  readonly connections?: number;
  /** Requests of one kind under way at a time, per collection; what comes meanwhile shares the next. Default 4. */
  readonly concurrent?: number;
  /** Inserts or gets that may wait, per collection; more are refused with `store.overloaded`. Default 100,000. */
  readonly queue?: number;
  /** How often expired documents are looked for, milliseconds; default 60,000. */
  readonly sweepEveryMs?: number;
  /** Most documents removed by one write; default 500. */
  readonly sweepBatch?: number;
}

/**
 * Connects to MongoDB 7 or 8, or FerretDB 2.7. Writes wait for the majority and its journals. Throws `store.unavailable`
 * when no server that takes writes is found in time.
 */
export async function connectMongoStore(options: MongoStoreOptions): Promise<Store> {
  const { database, clock, logger } = options;
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(database)) refuse('store.bad_spec', `database name "${database}" is not allowed`);
  const answerMs = options.answerMs ?? 10_000;
  const client = createMongoClient(options.url, {
    appName: 'parley',
    serverSelectionTimeoutMS: options.serverSelectionMs ?? 5000,
    connectTimeoutMS: options.connectMs ?? 5000,
    socketTimeoutMS: answerMs,
    waitQueueTimeoutMS: options.serverSelectionMs ?? 5000,
    heartbeatFrequencyMS: Math.max(500, options.heartbeatMs ?? 10_000),
    maxPoolSize: options.connections ?? 20,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: options.majorityMs ?? 5000 },
    readPreference: 'primary',
    retryWrites: true,
    retryReads: true,
    ignoreUndefined: true,
    promoteBuffers: true,
  });
  let connected = false;
  let closed = false;
  const db = client.db(database);
  // The driver looks for a server that is gone when somebody needs one, else at its next heartbeat.
  const search = createLoop({ clock, everyMs: 1_000, turn: () => db.command({ hello: 1 }).catch(() => undefined) });
  client.on('topologyDescriptionChanged', event => {
    const now = [...event.newDescription.servers.values()].some(s => s.isWritable);
    if (now === connected || closed) return;
    logger?.[now ? 'info' : 'warn'](`store.mongo.${now ? 'connected' : 'lost'}`, { database });
    connected = now;
    if (now) void search.stop();
    else search.start(0);
  });
  try {
    await client.connect();
    await db.command({ hello: 1 });
  } catch (error) {
    await client.close();
    throw failure(error, false);
  }

  const migrated = new Map<CheckedSpec, Promise<void>>();
  async function target(spec: CheckedSpec) {
    if (closed) throw new StoreError('store.closed', 'the store is closed');
    let checked = migrated.get(spec);
    if (!checked) {
      checked = checkMigrated(db, spec).catch((error: unknown) => {
        migrated.delete(spec);
        throw failure(error, false);
      });
      migrated.set(spec, checked);
    }
    await checked;
    return db.collection<Stored>(spec.name);
  }

  const sweeper = createSweeper(options, removeDue);
  async function removeDue(spec: CheckedSpec, index: OrderedIndex, now: number, batch: number): Promise<number> {
    const collection = await target(spec);
    const due = { [index.fields[0] as string]: { $exists: true, $lte: now } };
    const found = await collection.find(due, { projection: { _id: 1 }, hint: index.name, limit: batch }).toArray();
    // The time is part of the condition: who prolonged his document in between keeps it.
    if (found.length > 0) await collection.deleteMany({ $and: [{ _id: { $in: found.map(d => d._id) } }, due] });
    return found.length;
  }

  const meters = options.metrics && metersOf(options.metrics);
  const { concurrent = 4, queue = 100_000 } = options;
  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const checked = checkSpec(spec);
      sweeper.watch(checked);
      return mongoCollection<T>(checked, { clock, meters, target: () => target(checked), concurrent, queue });
    },
    async migrate(specs: readonly CollectionSpec<Doc>[]): Promise<void> {
      if (closed) throw new StoreError('store.closed', 'the store is closed');
      try {
        for (const spec of specs.map(checkSpec)) await migrateCollection(db, spec);
      } catch (error) {
        throw failure(error, true);
      }
    },
    async now(): Promise<number> {
      try {
        return ((await db.command({ hello: 1 })) as { localTime: Date }).localTime.getTime();
      } catch (error) {
        throw failure(error, false);
      }
    },
    get connected(): boolean {
      return connected && !closed;
    },
    async close(): Promise<void> {
      closed = true;
      connected = false;
      void search.stop();
      sweeper.stop();
      await client.close();
    },
  };
}

function metersOf(metrics: Metrics): MongoMeters {
  return {
    seconds: metrics.histogram({
      name: 'parley_store_request_seconds',
      help: 'Time of a request to the document database, seconds.',
      labels: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    }),
    failures: metrics.counter({
      name: 'parley_store_request_failures_total',
      help: 'Requests to the document database that failed.',
      labels: ['operation', 'code'],
    }),
    inserts: metrics.histogram({
      name: 'parley_store_insert_documents',
      help: 'Documents that shared one insert request.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    }),
  };
}
