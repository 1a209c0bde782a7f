import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParleyUnderTest, type ProductProcess, startParley } from '@parley/testkit';
import {
  type Backends,
  faultLibrary,
  type KafkaBackend,
  type MongoBackend,
  type NatsBackend,
  openProcessFaults,
  type ProcessFaults,
  startBackends,
  startTcpProxy,
  type TcpProxy,
} from '../../backends/src/index.ts';
import { type Disk, mountDisk } from './disk.ts';

/** Servers that each process reaches through a relay of its own. */
export type Server = 'nats' | 'mongo';

/** A pool in which everything can be broken: servers, processes, and what is between them. */
export interface Pool {
  readonly parley: ParleyUnderTest;
  readonly nats: NatsBackend;
  readonly kafka: KafkaBackend;
  readonly mongo: MongoBackend;
  /** Where Kafka keeps its records. */
  readonly logDisk: Disk;
  /** The way from one process to a server. */
  link(process: ProductProcess, server: Server): TcpProxy;
  /** Clock of one process. */
  inside(process: ProductProcess): ProcessFaults;
  /** What each process says of itself, and where logs and checkpoints were copied to. */
  evidence(): Promise<string>;
  /** Everything whole again, whatever was broken; processes that are down are started. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export const SERVICES = ['im', 'session', 'presence', 'archiving', 'directory'] as const;

const HOUR = 3_600_000;

/** Nobody becomes inactive by himself, and outages and their ends show within seconds. */
const CONFIG = {
  drainMs: 2_500,
  stopTimeoutMs: 6_000,
  im: { keyVisibleMs: 5_000, reconcileMarginMs: 1_000, relayEveryMs: 1_000, breakerOpenMs: 1_000, lagCheckMs: 500 },
  session: { syncIntervalMs: 10_000, resyncSpreadMs: 1_000, drainMs: 4_000, drainSpreadMs: 1_000 },
  presence: { inactiveAfterMs: 12 * HOUR, awayAfterMs: 24 * HOUR, graceMs: 30_000 },
  archiving: { checkpointMs: 2_000 },
};

const LOG_DISK_MEGABYTES = 256;

/** Starts servers and product; two replicas of every service. */
export async function startPool(
  options: { readonly maxConnections?: number; readonly config?: Readonly<Record<string, unknown>> } = {},
): Promise<Pool> {
  const logDisk = mountDisk(LOG_DISK_MEGABYTES);
  const dir = mkdtempSync(join(tmpdir(), 'parley-chaos-'));
  const links = new Map<string, TcpProxy>();
  const insides = new Map<string, ProcessFaults>();
  let backends: Backends | undefined;
  let parley: ParleyUnderTest | undefined;

  async function stop(): Promise<void> {
    await parley?.stop();
    for (const link of links.values()) await link.close();
    for (const faults of insides.values()) faults.close();
    await backends?.stop();
    logDisk.remove();
    rmSync(dir, { recursive: true, force: true });
  }

  try {
    const library = await faultLibrary();
    backends = await startBackends({
      nats: true,
      mongo: true,
      kafka: { dataDir: join(logDisk.dir, 'kafka'), properties: { 'log.index.size.max.bytes': '1048576' } },
    });
    const { nats, kafka, mongo } = backends;
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    const ports: Record<Server, number> = { nats: portOf(nats.url), mongo: portOf(mongo.url) };
    for (const name of SERVICES.flatMap(service => [`${service}-1`, `${service}-2`])) {
      for (const server of ['nats', 'mongo'] as const)
        links.set(`${name} ${server}`, await startTcpProxy(ports[server]));
      insides.set(name, openProcessFaults(library, join(dir, name)));
    }
    const linkOf = (name: string, server: Server) => links.get(`${name} ${server}`) as TcpProxy;
    const insideOf = (name: string) => insides.get(name) as ProcessFaults;
    parley = await startParley({
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      config: { ...CONFIG, ...options.config },
      maxConnections: Math.min(options.maxConnections ?? 4_000, Math.floor((mostFiles() - 500) / 2)),
      env: name => ({
        ...insideOf(name).env,
        PARLEY_POOL_NATS_SERVERS: `nats://127.0.0.1:${linkOf(name, 'nats').port}`,
        PARLEY_POOL_MONGO_URL: `mongodb://127.0.0.1:${linkOf(name, 'mongo').port}/`,
      }),
    });
    const product = parley;

    return {
      parley: product,
      ...{ nats, kafka, mongo, logDisk },
      link: (process, server) => linkOf(process.name, server),
      inside: process => insideOf(process.name),
      async evidence() {
        const kept = mkdtempSync(join(tmpdir(), 'parley-chaos-'));
        for (const part of ['logs', 'checkpoints'].filter(name => existsSync(join(product.dir, name))))
          cpSync(join(product.dir, part), join(kept, part), { recursive: true });
        const said = await Promise.all(
          product.processes.map(async process => `${process.name}: ${(await process.readiness()).trim()}`),
        );
        return [...said, `logs and checkpoints: ${kept}`].join('\n');
      },
      async heal() {
        logDisk.free();
        for (const link of links.values()) link.heal();
        for (const faults of insides.values()) faults.clockAhead(0);
        for (const server of [nats, kafka, mongo]) {
          if (server.pids().length === 0) await server.restart();
          else server.resume();
        }
        for (const process of product.processes) {
          if (process.running) process.resume();
          else await process.start();
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const portOf = (url: string): number => Number(new URL(url).port);

/** Files a process may have open, whatever it asks for; the load balancer needs two for a connection. */
function mostFiles(): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard === undefined ? Infinity : Number(hard);
}
