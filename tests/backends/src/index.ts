/**
 * Real NATS, Kafka and MongoDB-wire servers for tests.
 *
 * @example
 * const backends = await startBackends({ nats: true, kafka: true });
 * await backends.kafka?.kill();
 * await backends.kafka?.restart();   // same port, same data
 * await backends.stop();
 */
import { build } from './build.ts';
import { type MongoBackend, type MongoOptions, prepareMongo } from './ferretdb.ts';
import { type KafkaBackend, type KafkaOptions, prepareKafka } from './kafka.ts';
import { type NatsBackend, type NatsOptions, prepareNats } from './nats.ts';
import { type Otelcol, type OtelcolOptions, runOtelcol } from './otelcol.ts';
import { type Outcome, openOwnedRun } from './owned.ts';
import type { Server } from './server.ts';
import { type Log, stderrLog } from './tools.ts';
import { type ArtefactName, VERSIONS } from './versions.ts';

export { type BuildOptions, build } from './build.ts';
export type { MongoBackend, MongoOptions } from './ferretdb.ts';
export { type GuardedMongo, type GuardedMongoOptions, startGuardedMongo } from './ferretdb-guarded.ts';
export { connectconformancePath, grpcurlPath, k6Path } from './go-tools.ts';
export { ensureHaproxy, type Haproxy, type HaproxyOptions, startHaproxy } from './haproxy.ts';
export type { KafkaBackend, KafkaOptions, KafkaPorts, KafkaProperties } from './kafka.ts';
export type { NatsBackend, NatsOptions } from './nats.ts';
export type { Otelcol, OtelcolOptions } from './otelcol.ts';
export { faultLibrary, openProcessFaults, type ProcessFaults } from './process-faults.ts';
export type { BackendHandle } from './server.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Which servers to start. With none of the three given, all are. */
export interface StartOptions {
  readonly nats?: boolean | NatsOptions;
  readonly kafka?: boolean | KafkaOptions;
  readonly mongo?: boolean | MongoOptions;
  /** A folder for data and logs that stays after `stop` and can be started on again (ports may differ). Default: temporary. */
  readonly dir?: string;
  /** Progress of builds and what servers do unasked. Default: standard error. */
  readonly log?: Log;
}

/** The servers that were asked for. */
export interface Backends {
  readonly nats?: NatsBackend;
  readonly kafka?: KafkaBackend;
  readonly mongo?: MongoBackend;
  /** Where data and logs are. */
  readonly dir: string;
  /** The variables that tell a test where the servers are. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops everything. A temporary folder goes with it, unless the outcome is `failed`. */
  stop(outcome?: Outcome): Promise<void>;
}

const ARTEFACTS_OF = { nats: ['nats'], kafka: ['kafka'], mongo: ['ferretdb', 'documentdb'] } as const;
const PORTS_OF = { nats: ['nats'], kafka: ['kafka', 'kafka-controller'], mongo: ['mongo'] } as const;
type Kind = keyof typeof PORTS_OF;

/** Builds what is missing, starts the servers side by side on free loopback ports, resolves when all are healthy. */
export async function startBackends(options: StartOptions = {}): Promise<Backends> {
  const log = options.log ?? stderrLog;
  const kinds = wanted(options);
  const only: ArtefactName[] = kinds.flatMap(kind => [...ARTEFACTS_OF[kind]]);
  await build({ only, log });
  const owned = await openOwnedRun(
    kinds.flatMap(kind => [...PORTS_OF[kind]]),
    log,
    options.dir,
  );

  async function bring<S extends Server, O extends object>(
    kind: Kind,
    prepare: (context: typeof owned.run, options: O) => Promise<S>,
    given: boolean | O | undefined,
    fallback: O,
  ): Promise<S | undefined> {
    if (!kinds.includes(kind)) return undefined;
    const server = await prepare(owned.run, typeof given === 'object' ? given : fallback);
    owned.add(server);
    await server.start();
    return server;
  }

  return owned.guard(async () => {
    const starting = [
      bring('nats', prepareNats, options.nats, {}),
      bring('kafka', prepareKafka, options.kafka, {}),
      bring('mongo', prepareMongo, options.mongo, {}),
    ] as const;
    await Promise.allSettled(starting);
    const [nats, kafka, mongo] = await Promise.all(starting);
    const found = { ...(nats && { nats }), ...(kafka && { kafka }), ...(mongo && { mongo }) };
    return { ...found, dir: owned.run.dir, env: backendEnv(found), stop: owned.stop };
  });
}

/** Starts an OpenTelemetry Collector; builds it when it is missing (a minute, with Go). */
export async function startOtelcol(options: OtelcolOptions): Promise<Otelcol> {
  await build({ only: ['otelcol'], ...(options.log && { log: options.log }) });
  return runOtelcol(options);
}

/** The environment that describes running servers: `PARLEY_TEST_NATS_URL` and so on. */
export function backendEnv(backends: Pick<Backends, Kind>): Record<string, string> {
  return {
    ...(backends.nats && { PARLEY_TEST_NATS_URL: backends.nats.url }),
    ...(backends.kafka && { PARLEY_TEST_KAFKA_BROKERS: backends.kafka.brokers.join(',') }),
    ...(backends.mongo && { PARLEY_TEST_MONGO_URL: backends.mongo.url }),
  };
}

/** The kinds asked for; all of them when nothing is said about any. */
export function wanted(options: Pick<StartOptions, Kind>): Kind[] {
  const kinds = Object.keys(PORTS_OF) as Kind[];
  if (kinds.every(kind => options[kind] === undefined)) return kinds;
  return kinds.filter(kind => options[kind] !== undefined && options[kind] !== false);
}

/** The versions this folder builds. */
export { VERSIONS };
