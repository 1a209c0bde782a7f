import { archivingConfigSchema } from '@parley/archiving-service';
import { directoryConfigSchema } from '@parley/directory-service';
import { imConfigSchema } from '@parley/im-service';
import { presenceConfigSchema } from '@parley/presence-service';
import { sessionConfigSchema } from '@parley/session-service';
import { z } from 'zod';
import { callSettings, clientTls, host, list, listenerTls, mongoTls, path, port, publicTls } from './config-parts.ts';
import { TARGET_NAMES } from './routes.ts';

const addresses = (service: string) =>
  list(
    `Native gRPC addresses of ${service}, host:port; calls are balanced over them. Needed where ${service} runs in another process.`,
  );

/** Everything that can be configured, of the process and of every service. */
export const parleyConfigSchema = z.strictObject({
  topology: z
    .enum(['standalone', 'pool'])
    .default('standalone')
    .describe('`standalone`: SQLite, one process. `pool`: MongoDB wire, NATS, Kafka, gRPC.'),
  targets: z
    .array(z.enum(TARGET_NAMES))
    .min(1)
    .default([...TARGET_NAMES])
    .describe('Services this process runs. Standalone runs them all.'),
  dataDir: z.string().min(1).max(4_096).default('data').describe('Directory of database, keys and checkpoint copies.'),
  keysDir: path('Directory of key files; empty: `keys` below dataDir.'),
  checkpointCopyDir: path(
    'Directory for the second copy of signed archive checkpoints; empty: `checkpoints` below dataDir. Best on another disk or machine.',
  ),
  insecureBind: z
    .boolean()
    .default(false)
    .describe('Allow listeners on other addresses than loopback although they have no TLS.'),
  tlsReloadMs: z
    .int()
    .min(100)
    .max(86_400_000)
    .default(60_000)
    .describe(
      'How often certificate files are looked at for a renewal, milliseconds, 100 to 86,400,000. SIGHUP looks at once.',
    ),
  keysReloadMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe(
      'How often is looked for new key files, and whether it is the turn of the next key, milliseconds, 100 to 3,600,000. SIGHUP looks at once.',
    ),
  drainMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe(
      'When told to stop: time between not being ready and the first refusal, so that load balancers notice, milliseconds, 0 to 600,000; about 5,000 behind one.',
    ),
  stopTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(15_000)
    .describe('Longest time for one part to finish what is under way when told to stop, milliseconds, 100 to 600,000.'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('Least level written: debug, info, warn or error.'),
    })
    .prefault({}),
  tracing: z
    .strictObject({
      otlpUrl: z
        .string()
        .max(2_048)
        .regex(/^(https?:\/\/\S+)?$/, 'must be an address beginning with http:// or https://')
        .default('')
        .describe(
          'Where spans go: OTLP over HTTP with protobuf, for example `http://127.0.0.1:4318/v1/traces`. Empty: nothing is recorded.',
        ),
      authorization: z
        .string()
        .max(4_096)
        .default('')
        .describe(
          'Value of the authorization header the collector asks for; belongs into a file (`authorizationFile`).',
        ),
      sampleRatio: z
        .number()
        .min(0)
        .max(1)
        .default(0.1)
        .describe('Part of the traces that is recorded, 0 to 1. The same for every process, so that traces are whole.'),
      exportMs: z
        .int()
        .min(10)
        .max(600_000)
        .default(5_000)
        .describe('Between two exports of spans, milliseconds, 10 to 600,000.'),
      exportTimeoutMs: z
        .int()
        .min(100)
        .max(60_000)
        .default(5_000)
        .describe('How long an export of spans may take, also when stopping, milliseconds, 100 to 60,000.'),
      queueSpans: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(4_096)
        .describe('Spans that may wait for export; more are lost. 1 to 1,000,000.'),
    })
    .prefault({}),
  public: z
    .strictObject({
      host: host('Address of the gRPC-Web and HTTP listener.'),
      port: port(7380, 'Port of the gRPC-Web and HTTP listener'),
      tls: publicTls,
      corsOrigins: list('Origins whose pages may call, for example `https://intranet.hospital.example`.'),
      trustProxy: z
        .boolean()
        .default(false)
        .describe('Whether a load balancer of yours is in front, whose x-forwarded-for is true.'),
      callsPerPersonPerSecond: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(100)
        .describe('Calls of one person in a second, of each process, 1 to 1,000,000.'),
      callsPerPeerPerSecond: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(200)
        .describe('Calls without a token from one address in a second, of each process, 1 to 1,000,000.'),
    })
    .prefault({}),
  grpc: z
    .strictObject({
      host: host('Address of the native gRPC listener.'),
      port: port(7390, 'Port of the native gRPC listener'),
      tls: listenerTls('the native gRPC listener'),
      reflection: z
        .boolean()
        .default(true)
        .describe(
          'Whether signed-in callers may list and describe services (grpc.reflection). Turn it off where nobody needs it.',
        ),
      maxConnectionAgeMs: z
        .int()
        .min(1000)
        .max(86_400_000)
        .default(1_800_000)
        .describe(
          'Connections older than this are closed once their calls have ended, so that load spreads over new replicas behind one address, milliseconds, 1,000 to 86,400,000.',
        ),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: host('Address of /livez, /readyz and /metrics.'),
      port: port(7399, 'Port of /livez, /readyz and /metrics'),
      tls: listenerTls('the listener of /livez, /readyz and /metrics'),
    })
    .prefault({}),
  services: z
    .strictObject({
      directory: addresses('directory'),
      presence: addresses('presence'),
      session: addresses('session'),
      im: addresses('im'),
      archiving: addresses('archiving'),
      tls: clientTls('the gRPC listeners of other processes'),
      ...callSettings,
    })
    .prefault({}),
  standalone: z
    .strictObject({
      cacheBytes: z
        .int()
        .min(1_048_576)
        .max(68_719_476_736)
        .default(268_435_456)
        .describe('Page cache of SQLite, bytes.'),
      checkBytes: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER)
        .default(268_435_456)
        .describe(
          'A database up to this size is read and its structure checked at each start, bytes (about a second for 500 MB). Larger ones are trusted until a damaged page is met. 0: never checked.',
        ),
      logFaultFile: z
        .string()
        .max(4_096)
        .default('')
        .describe(
          'For tests: while this file (below dataDir) exists and says `hang` or `refuse`, the event log does. Empty: never.',
        ),
    })
    .prefault({}),
  pool: z
    .strictObject({
      mongo: z
        .strictObject({
          url: z
            .string()
            .max(2_048)
            .default('mongodb://127.0.0.1:27017')
            .describe('MongoDB connection string. One with a password belongs into a file that `urlFile` names.'),
          user: z
            .string()
            .max(256)
            .default('')
            .describe(
              'User, put into the connection string; empty: none. `{service}` stands for the service whose database it is, here and in passwordFile.',
            ),
          passwordFile: path('File with his password.'),
          tls: mongoTls,
          databasePrefix: z
            .string()
            .regex(/^[a-z0-9_]{0,24}$/)
            .default('parley_')
            .describe('Each service has the database of this prefix and its name.'),
        })
        .prefault({}),
      nats: z
        .strictObject({
          servers: z.array(z.string().max(512)).min(1).default(['nats://127.0.0.1:4222']).describe('NATS servers.'),
          user: z
            .string()
            .max(256)
            .default('')
            .describe(
              'User at NATS; empty: none. `{service}` stands for the services of the process, joined by `+`, here and in files.',
            ),
          passwordFile: path('File with his password.'),
          tokenFile: path('File with a token, instead of a user.'),
          nkeySeedFile: path('File with an nkey seed, instead of a user.'),
          credentialsFile: path('File with user JWT and seed (.creds), instead of a user.'),
          tls: clientTls('NATS'),
        })
        .prefault({}),
      kafka: z
        .strictObject({
          brokers: z
            .array(z.string().max(512))
            .min(1)
            .default(['127.0.0.1:9092'])
            .describe('Kafka brokers, host:port.'),
          topicPrefix: z
            .string()
            .regex(/^[A-Za-z0-9._-]{0,32}$/)
            .default('')
            .describe('Put before every topic and group, so that installations can share a cluster.'),
          replicationFactor: z
            .int()
            .min(1)
            .max(9)
            .default(3)
            .describe('Copies of each partition when topics are created, 1 to 9.'),
          minInsyncReplicas: z
            .int()
            .min(1)
            .max(9)
            .default(2)
            .describe('Copies that must have a record before it counts as durable, 1 to 9.'),
          sasl: z
            .strictObject({
              mechanism: z
                .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512'])
                .default('none')
                .describe('How to sign in at Kafka; none: not at all.'),
              username: z
                .string()
                .max(256)
                .default('')
                .describe('User at Kafka; `{service}` as with NATS, here and in passwordFile.'),
              passwordFile: path('File with his password.'),
            })
            .prefault({}),
          tls: clientTls('Kafka'),
        })
        .prefault({}),
    })
    .prefault({}),
  directory: directoryConfigSchema.prefault({}),
  presence: presenceConfigSchema.prefault({}),
  session: sessionConfigSchema.prefault({}),
  im: imConfigSchema.prefault({}),
  archiving: archivingConfigSchema.prefault({}),
});

/** See {@link parleyConfigSchema}. */
export type ParleyConfig = z.infer<typeof parleyConfigSchema>;
