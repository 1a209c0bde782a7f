import { z } from 'zod';

const ms = (value: number, min: number, max: number, text: string) =>
  z.number().int().min(min).max(max).default(value).describe(`${text} Milliseconds, ${min} to ${max}.`);
const count = (value: number, min: number, max: number, text: string) =>
  z.number().int().min(min).max(max).default(value).describe(`${text} ${min} to ${max}.`);

const DAY = 86_400_000;

/** Settings of instant messaging. */
export const imConfigSchema = z
  .strictObject({
    maxTextCharacters: count(8_000, 1, 8_000, 'Longest text of a message in characters (Unicode code points).'),
    maxTextBytes: count(32_000, 1, 32_000, 'Longest text of a message in bytes of UTF-8.'),
    sendRatePerSecond: z
      .number()
      .min(0.1)
      .max(10_000)
      .default(20)
      .describe('Messages one person may send in a second on average, of each replica. 0.1 to 10,000.'),
    sendBurst: count(60, 1, 100_000, 'Messages one person may send at once.'),

    keyVisibleMs: ms(20_000, 100, 30_000, 'From the making of a key until its event must be visible.'),
    maxAheadMs: ms(10_000, 100, 30_000, "How far a key that a client has seen may lie ahead of the store's time."),
    clockSampleMs: ms(30_000, 10, 300_000, "Time between two measurements of the store's time."),
    clockMaxRoundTripMs: ms(2_000, 1, 10_000, 'Measurements that took longer are thrown away.'),
    clockStaleMs: ms(300_000, 100, 3_600_000, 'After this long without a measurement nothing is sent any more.'),

    peopleStaleMs: ms(120_000, 100, 120_000, 'How old what is known of a person may be when a message is sent.'),
    peopleRefreshMs: ms(60_000, 50, 120_000, 'From this age on it is fetched again in the background.'),
    peopleUnknownMs: ms(5_000, 100, 60_000, 'How long it is remembered that an id is nobody’s.'),
    readerMaxAgeMs: ms(
      600_000,
      100,
      3_600_000,
      'How old what is known of a person may be when he reads: the directory is asked no more often than this whether his account is still in force, unless it announced a change.',
    ),
    readerWaitMs: ms(
      1_000,
      1,
      30_000,
      'How long the directory may take to say so; whoever it says nothing about goes on reading.',
    ),
    peopleCached: count(100_000, 100, 10_000_000, 'People remembered by each replica.'),
    directoryTimeoutMs: ms(5_000, 10, 30_000, 'How long the directory may take to answer.'),

    archivePartitions: count(4, 1, 256, 'Partitions of the topic `archive` when it is created; 12 for a pool.'),
    logDeadlineMs: ms(2_000, 10, 10_000, 'How long the archive log may take for a record.'),
    breakerFailures: count(5, 1, 1_000, 'Failures of the archive log in a row after which nobody waits for it.'),
    breakerOpenMs: ms(5_000, 10, 60_000, 'How long nobody waits for it, until one message tries again.'),
    lagCheckMs: ms(
      2_000,
      10,
      60_000,
      'Time between two looks at how far archiving is behind; five times as long while there is nothing to archive.',
    ),
    maxArchiveLagRecords: count(
      50_000,
      1,
      1_000_000_000,
      'Records archiving may be behind before critical messages are refused.',
    ),
    maxArchiveStallMs: ms(
      60_000,
      100,
      3_600_000,
      'How long archiving may stand still before critical messages are refused.',
    ),
    lagStaleMs: ms(30_000, 100, 600_000, 'Critical messages are refused when the lag was not measured for this long.'),

    relayEveryMs: ms(5_000, 10, 600_000, 'Time between two looks for stored messages that the archive log lacks.'),
    relayBatch: count(200, 1, 1_000, 'Such messages relayed at once.'),

    reconcileMarginMs: ms(
      5_000,
      0,
      60_000,
      'How much older than keyVisibleMs a logged record must be before it is checked.',
    ),
    reconcileBatch: count(2_000, 1, 10_000, 'Logged records checked at once.'),
    completeMaxAgeMs: ms(
      3_600_000,
      1_000,
      30 * DAY,
      'A logged message that was never stored is delivered up to this age, later marked as not accepted.',
    ),
    refusalKeepMs: ms(
      7 * DAY,
      3_600_000,
      365 * DAY,
      'How long refused sends are remembered; longer than completeMaxAgeMs.',
    ),

    syncInitialMs: ms(30 * DAY, 60_000, 3_650 * DAY, 'How far back a sync without a cursor begins.'),
    cursorLagMs: ms(60_000, 100, 3_600_000, 'How far a cursor stays behind; more than keyVisibleMs.'),
    republishMs: ms(
      60_000,
      0,
      3_600_000,
      'A message sent again within this time is shown to the recipients’ devices again.',
    ),
    pageBytes: count(1_048_576, 65_536, 3_145_728, 'Size in bytes after which a page of events ends.'),
  })
  .refine(c => c.cursorLagMs > c.keyVisibleMs, { path: ['cursorLagMs'], message: 'must be greater than keyVisibleMs' })
  .refine(c => c.peopleRefreshMs <= c.peopleStaleMs, {
    path: ['peopleRefreshMs'],
    message: 'must not exceed peopleStaleMs',
  })
  .refine(c => c.refusalKeepMs > c.completeMaxAgeMs, {
    path: ['refusalKeepMs'],
    message: 'must be greater than completeMaxAgeMs',
  });

export type ImConfig = z.infer<typeof imConfigSchema>;
