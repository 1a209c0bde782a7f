import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bus, connectNatsBus, createMemoryBus } from '@parley/bus';
import {
  connectKafkaEventLog,
  createEventLogFaults,
  createSqliteEventLog,
  type EventLog,
  type EventLogFaults,
} from '@parley/event-log';
import type { Clock, Logger, Metrics } from '@parley/runtime';
import {
  type BulkReader,
  connectMongoBulkReader,
  connectMongoStore,
  createSqliteStore,
  openSqliteBulkReader,
  openSqliteSnapshot,
  openSqliteWriter,
  type Store,
} from '@parley/store';
import type { ParleyConfig } from './config.ts';
import { Explained } from './explain.ts';
import { hideSecrets } from './hide-secrets.ts';
import { noEventLog } from './no-event-log.ts';
import { kafkaOptions, mongoUrl, natsOptions } from './pool-options.ts';
import { usesEventLog } from './rights/rights.ts';
import { TARGET_NAMES } from './routes.ts';

/** The technology behind the ports of a process. */
export interface Topology {
  /** One service's database; the same one whenever it is asked for. */
  store(service: string): Promise<Store>;
  /** Reads whole collections of a service, as they are now; to be closed by whoever opened it. */
  bulkReader(service: string): Promise<BulkReader>;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  /** Closes all of it, stores included. */
  close(): Promise<void>;
}

/** What adapters need. */
export interface TopologyDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Opens the adapters of the configured topology. The only code that asks which one it is. */
export function openTopology(config: ParleyConfig, deps: TopologyDeps): Promise<Topology> {
  return config.topology === 'standalone' ? openStandalone(config, deps) : openPool(config, deps);
}

/** What can be read of an installation, whether it runs or not. */
export interface ReadTopology extends Pick<Topology, 'store' | 'bus' | 'close'> {
  /** What it is, for people. */
  readonly words: string;
  /** What is wrong with the structure of the database; empty when nothing is, or when a server of its own looks after it. */
  check(): readonly string[];
}

/** Opens what can be read without being in anybody's way. */
export async function openForReading(config: ParleyConfig, deps: TopologyDeps): Promise<ReadTopology> {
  const path = databaseFile(config);
  if (path === undefined) {
    const pool = await openPool(config, deps);
    return { ...pool, words: 'MongoDB, NATS and Kafka answer', check: () => [] };
  }
  const snapshot = openSqliteSnapshot({ path });
  const bus = createMemoryBus(deps);
  return {
    bus,
    words: `${path}, ${Math.ceil(snapshot.bytes / 1024 ** 2)} MiB, its structure is sound`,
    check: () => snapshot.check(),
    store: async service => createSqliteStore({ writer: snapshot.reader, database: databaseOf(service), ...deps }),
    async close() {
      await bus.close();
      snapshot.close();
    },
  };
}

/** The file that holds database and event log; undefined when servers of their own do. */
export const databaseFile = (config: ParleyConfig): string | undefined =>
  config.topology === 'standalone' ? join(config.dataDir, 'parley.sqlite') : undefined;

/** Whether MongoDB, NATS and Kafka are connected to. */
export const usesServers = (config: ParleyConfig): boolean => config.topology === 'pool';

/** The database of a service at the servers of a pool. */
export const databaseName = (config: ParleyConfig, service: string): string =>
  `${config.pool.mongo.databasePrefix}${databaseOf(service)}`;

const databaseOf = (service: string): string => service.replaceAll('-', '_');

async function openStandalone(config: ParleyConfig, deps: TopologyDeps): Promise<Topology> {
  const { clock, logger } = deps;
  const { cacheBytes, checkBytes, logFaultFile } = config.standalone;
  const path = databaseFile(config) as string;
  const writer = openSqliteWriter({ path, cacheBytes, checkBytes, ...deps });
  const stores = new Map<string, Store>();
  const faulty = logFaultFile === '' ? undefined : faultsOfFile(join(config.dataDir, logFaultFile), clock);
  const eventLog = createSqliteEventLog({ writer, ...(faulty && { faults: faulty.faults }), ...deps });
  const bus = createMemoryBus(deps);
  return {
    bus,
    eventLog,
    async store(service) {
      const known = stores.get(service);
      const store = known ?? createSqliteStore({ writer, database: databaseOf(service), clock, logger });
      stores.set(service, store);
      return store;
    },
    bulkReader: async service => openSqliteBulkReader({ path, database: databaseOf(service) }),
    async close() {
      faulty?.stop();
      await eventLog.close();
      await bus.close();
      for (const store of stores.values()) await store.close();
      await writer.close();
    },
  };
}

async function openPool(config: ParleyConfig, deps: TopologyDeps): Promise<Topology> {
  const { targets } = config;
  const { mongo, nats, kafka } = config.pool;
  const name = `parley-${targets.join('+')}`;
  const bus = await reach('NATS', nats.servers, connectNatsBus({ ...natsOptions(nats, targets), name, ...deps }));
  const connectLog = () =>
    reach('Kafka', kafka.brokers, connectKafkaEventLog({ ...kafkaOptions(kafka, targets), clientId: name, ...deps }));
  const eventLog = usesEventLog(targets, config)
    ? await connectLog().catch(async error => {
        await bus.close();
        throw error;
      })
    : noEventLog();
  const stores = new Map<string, Promise<Store>>();
  // what belongs to no service is read with the credential of one that runs here
  const urlOf = (service: string) =>
    mongoUrl(mongo, (TARGET_NAMES as readonly string[]).includes(service) ? service : (targets[0] as string));
  return {
    bus,
    eventLog,
    store(service) {
      const known = stores.get(service);
      const store =
        known ??
        reach(
          'MongoDB',
          [mongo.url],
          connectMongoStore({
            url: urlOf(service),
            database: databaseName(config, service),
            ...deps,
          }),
        );
      stores.set(service, store);
      return store;
    },
    bulkReader: service => connectMongoBulkReader({ url: urlOf(service), database: databaseName(config, service) }),
    async close() {
      await eventLog.close();
      await bus.close();
      for (const store of stores.values()) await (await store).close();
    },
  };
}

/** Says which server it is that cannot be reached, and where it was looked for. */
async function reach<T>(server: string, places: readonly string[], connecting: Promise<T>): Promise<T> {
  try {
    return await connecting;
  } catch (cause) {
    const where = places.map(place => String(hideSecrets(place))).join(', ');
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Explained(
      `${server} cannot be reached at ${where} (${why}); start it, or correct address, credentials and TLS below pool.${SECTION[server]}`,
      { cause },
    );
  }
}

const SECTION: Readonly<Record<string, string>> = { NATS: 'nats', Kafka: 'kafka', MongoDB: 'mongo' };

/** How often a healed log is looked for while appends hang, milliseconds. */
const FAULT_LOOK_MS = 50;

/** Faults that follow a file: looked at before every append, and from time to time so that hanging ones go on. */
function faultsOfFile(path: string, clock: Clock): { readonly faults: EventLogFaults; stop(): void } {
  const inner = createEventLogFaults();
  let stopped = false;
  const look = () => {
    const wanted = existsSync(path) ? readFileSync(path, 'utf8').trim() : 'none';
    if (wanted === inner.mode) return;
    if (wanted === 'hang') inner.hangAppends();
    else if (wanted === 'refuse') inner.refuseAppends();
    else inner.heal();
  };
  const again = () => {
    if (stopped) return;
    look();
    clock.timer(FAULT_LOOK_MS, again);
  };
  again();
  const faults: EventLogFaults = {
    ...inner,
    get mode() {
      look();
      return inner.mode;
    },
    get hanging() {
      return inner.hanging;
    },
    pass(go) {
      look();
      inner.pass(go);
    },
  };
  return {
    faults,
    stop() {
      stopped = true;
      inner.heal();
    },
  };
}
