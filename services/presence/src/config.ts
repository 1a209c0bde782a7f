import { z } from 'zod';

const ms = (fallback: number, min: number, max: number, text: string) =>
  z.int().min(min).max(max).default(fallback).describe(`${text} Milliseconds, ${min} to ${max}.`);
const whole = (fallback: number, min: number, max: number, text: string) =>
  z.int().min(min).max(max).default(fallback).describe(`${text} ${min} to ${max}.`);

const DAY = 86_400_000;

/** Settings of the presence service. */
export const presenceConfigSchema = z
  .object({
    maxEndpoints: whole(8, 1, 64, 'Devices a person may be signed in with at the same time.'),
    inactiveAfterMs: ms(300_000, 100, DAY, 'A device that says nothing for so long counts as inactive.'),
    awayAfterMs: ms(
      600_000,
      200,
      DAY,
      'A device that says nothing for so long counts as away; more than inactiveAfterMs.',
    ),
    graceMs: ms(
      60_000,
      0,
      3_600_000,
      'How long a device that lost its connection still counts, so that short cuts show to nobody.',
    ),
    urgentEndsAfterMs: ms(DAY, 1000, 30 * DAY, 'When Busy and Do Not Disturb chosen by hand end by themselves.'),
    longestChoiceMs: ms(366 * DAY, 1000, 366 * DAY, 'How far ahead the end of a chosen state may lie.'),
    appearOffline: z.boolean().default(false).describe('Whether people may appear offline while they are signed in.'),
    showLastActive: z
      .boolean()
      .default(false)
      .describe('Whether colleagues see since when somebody has been in his state.'),
    noteCharacters: whole(500, 0, 500, 'Longest personal note, in characters.'),
    sweepIntervalMs: ms(
      1000,
      20,
      1000,
      'How often is looked for presence that time alone changes; up to five times as long while it changes nobody.',
    ),
    sweepBatch: whole(500, 1, 5000, 'People changed by one step of the sweep.'),
    leaseSettleMs: ms(
      15_000,
      0,
      300_000,
      'After a start or an outage of the database no lease is taken for lapsed for so long, so that session pods can renew.',
    ),
    leaseRecheckMs: ms(
      30_000,
      100,
      300_000,
      'How often a lapsed lease is looked at again for endpoints opened at the last moment.',
    ),
    leaseKeepEndedMs: ms(
      900_000,
      1000,
      DAY,
      'How long a lapsed lease is remembered; longer than the longest lease (300,000).',
    ),
    timeSyncMs: ms(30_000, 1000, 600_000, 'How often the difference to the clock of the database is measured.'),
    gaugeIntervalMs: ms(30_000, 1000, 600_000, 'How often connected people are counted for the metrics.'),
    principalMaxAgeMs: ms(120_000, 0, 600_000, 'How long is remembered who a watcher is, when no change is announced.'),
    ownerSilenceMs: ms(
      30_000,
      0,
      120_000,
      'Without an answer of the directory for so long, it is asked again before anything is shown, and nothing is shown when it does not answer.',
    ),
    directoryTimeoutMs: ms(2000, 10, 30_000, 'How long the directory may take to answer.'),
    principalCacheEntries: whole(100_000, 100, 1_000_000, 'Watchers remembered.'),
    viewCacheEntries: whole(
      50_000,
      0,
      1_000_000,
      'People whose views are kept in memory (about 0.4 KB each); 0 reads the database every time.',
    ),
    viewCacheMaxAgeMs: ms(
      30_000,
      0,
      300_000,
      'How long a view in memory is used, should the announcement of its change get lost.',
    ),
  })
  .refine(c => c.awayAfterMs > c.inactiveAfterMs, {
    path: ['awayAfterMs'],
    error: 'must be more than inactiveAfterMs',
  });

export type PresenceConfig = z.infer<typeof presenceConfigSchema>;
