import { z } from 'zod';
import { parseVersion } from './domain/client-version.ts';

const ms = (from: number, to: number, value: number, text: string) =>
  z.number().int().min(from).max(to).default(value).describe(`${text}; milliseconds, ${from} to ${to}`);
const count = (from: number, to: number, value: number, text: string) =>
  z.number().int().min(from).max(to).default(value).describe(`${text}; ${from} to ${to}`);
const version = (value: string, text: string) =>
  z
    .string()
    .refine(given => parseVersion(given) !== undefined, 'must be a version like 1.2.3')
    .default(value)
    .describe(text);

/** Configuration of the session service. */
export const sessionConfigSchema = z
  .object({
    serverVersion: version('0.1.0', 'Version of the server told to clients; a version like 1.2.3'),
    minimumClientVersion: version('0.0.0', 'Older clients are refused; a version like 1.2.3'),
    recommendedClientVersion: version('0.1.0', 'Version clients are advised to use; a version like 1.2.3'),

    maxSessions: count(1, 1_000_000, 20_000, 'Streams one process holds at most'),
    maxWatches: count(1, 1_000, 1_000, 'People one session watches at most'),
    connectsPerSecond: count(1, 100_000, 200, 'Streams that may be opened in one process in a second, on average'),
    connectBurst: count(1, 1_000_000, 1_000, 'Streams that may be opened in one process at once'),
    connectRetrySpreadMs: ms(0, 300_000, 5_000, 'Refused clients are told to come back spread over this time'),
    commandsPerMinute: count(1, 100_000, 240, 'Commands of one person that one process forwards in a minute'),
    rememberedCommands: count(1, 1_000, 64, 'Outcomes of commands remembered for each session'),

    heartbeatMs: ms(100, 120_000, 20_000, 'A stream on which nothing was sent for this long gets a heartbeat'),
    syncIntervalMs: ms(1_000, 3_600_000, 300_000, 'How often clients synchronise when nothing else asks for it'),
    tickMs: ms(10, 1_000, 250, 'Step of the timer wheel: how late heartbeats, expiries and clean-ups may be'),

    queueBytes: count(1_024, 67_108_864, 262_144, 'Bytes a slow reader may leave waiting'),
    queueEvents: count(16, 1_000_000, 4_096, 'Events a slow reader may leave waiting'),
    slowReaderTimeoutMs: ms(100, 600_000, 30_000, 'A slow reader who has not caught up after this is disconnected'),

    lingerMs: ms(0, 600_000, 30_000, 'Subscriptions nobody needs any longer are kept for this long'),
    resolveConcurrency: count(1, 1_000, 32, 'Requests to presence under way at once, for resolving'),
    resolveRetryMs: ms(10, 60_000, 200, 'First wait before a person is resolved again after a failure; doubles'),
    resolveRetryMaxMs: ms(10, 600_000, 5_000, 'Longest wait before a person is resolved again'),
    digestIntervalMs: ms(100, 3_600_000, 60_000, 'How often all views are compared with presence'),
    digestBatch: count(1, 20_000, 20_000, 'Views compared in one request'),
    resyncSpreadMs: ms(0, 300_000, 10_000, 'Clients synchronise spread over this time after the bus lost messages'),
    resyncMinIntervalMs: ms(0, 300_000, 5_000, 'Losses of slow subscriptions within this time count as one'),

    signInCheckMs: ms(100, 600_000, 10_000, 'How often the sign-ins of open streams are checked'),
    signInCheckBatch: count(1, 10_000, 10_000, 'Sign-ins checked in one request'),

    leaseMs: ms(1_000, 300_000, 60_000, 'How long devices outlive a process that has gone, before the grace begins'),
    leaseRenewMs: ms(100, 300_000, 15_000, 'How often the lease is renewed; less than half of leaseMs'),
    endpointCloseConcurrency: count(1, 1_000, 32, 'Requests to presence under way at once, for devices that went'),
    endpointCloseRetryMs: ms(
      10,
      600_000,
      1_000,
      'First wait before presence is told again that a device went; doubles',
    ),

    drainMs: ms(
      0,
      600_000,
      10_000,
      'Time clients have to go elsewhere when the process stops; at least 2,000 less than stopTimeoutMs',
    ),
    drainSpreadMs: ms(0, 600_000, 5_000, 'Clients are asked to go elsewhere spread over this time'),
  })
  .strict()
  .refine(c => c.leaseRenewMs * 2 <= c.leaseMs, {
    path: ['leaseRenewMs'],
    message: 'must be at most half of leaseMs',
  })
  .refine(c => c.resolveRetryMs <= c.resolveRetryMaxMs, {
    path: ['resolveRetryMs'],
    message: 'must not be greater than resolveRetryMaxMs',
  });

export type SessionConfig = z.output<typeof sessionConfigSchema>;
