import { z } from 'zod';

const ms = (value: number, min: number, max: number, text: string) =>
  z.number().int().min(min).max(max).default(value).describe(`${text} Milliseconds, ${min} to ${max}.`);
const count = (value: number, min: number, max: number, text: string) =>
  z.number().int().min(min).max(max).default(value).describe(`${text} ${min} to ${max}.`);

/** Settings of archiving. */
export const archivingConfigSchema = z
  .strictObject({
    maxBatch: count(250, 1, 10_000, 'Records archived at once; larger ones save nothing and keep others waiting.'),
    lingerMs: ms(250, 0, 10_000, 'Pause after a batch that was not full, so that the next one is larger and cheaper.'),
    checkpointMs: ms(
      60_000,
      50,
      3_600_000,
      'Time between two signed checkpoints of a partition in which something was archived.',
    ),
    trim: z
      .boolean()
      .default(true)
      .describe('Whether records below the last verified checkpoint are removed from the log. true or false.'),
    trimKeepRecords: count(
      10_000,
      0,
      1_000_000_000,
      'Records below the checkpoint that are kept in the log all the same.',
    ),
    trimGroups: z
      .array(z.string().min(1).max(200))
      .max(16)
      .default(['im-reconcile'])
      .describe('Other groups that read the log; nothing is removed that one of them has not read. At most 16 names.'),
    verifyPage: count(500, 10, 1_000, 'Links that a verification reads at once.'),
    maxVerifications: count(1, 1, 16, 'Verifications under way at the same time, of each replica.'),
    verifyEveryMs: ms(
      86_400_000,
      0,
      2_678_400_000,
      'Time between two verifications of everything that archiving makes by itself, at a slow pace and by one replica; 0 makes none.',
    ),
    verifyPauseMs: ms(
      100,
      0,
      60_000,
      'Pause of such a verification after each page of links, so that it disturbs nobody.',
    ),
    verifyLeaseMs: ms(
      120_000,
      1_000,
      3_600_000,
      'How long such a verification is left to a replica that says nothing any more.',
    ),
    progressMs: ms(1_000, 10, 60_000, 'Time between two reports of progress.'),
    settlePollMs: ms(100, 1, 10_000, 'Time between two looks whether archiving has caught up.'),
    copyGraceMs: ms(10_000, 0, 600_000, 'How young a checkpoint may be to stand in one of its two places only.'),
    indexMs: ms(1_000, 10, 60_000, 'Pause between two steps of the index of contents.'),
    indexDelayMs: ms(
      5_000,
      0,
      600_000,
      'How long a few new records wait to be put into the index together; many go at once.',
    ),
    indexSweepMs: ms(60_000, 100, 3_600_000, 'Time between two looks for records that nobody has indexed.'),
    indexLeaseMs: ms(30_000, 1_000, 600_000, 'How long a replica alone indexes a partition after it last did so.'),
    indexMemoryRecords: count(
      5_000,
      0,
      100_000,
      'Archived records that are kept in memory for the index, so that it need not read them again.',
    ),
    searchBudgetMs: ms(4_000, 10, 60_000, 'Time after which a page of a search ends early, to be continued.'),
    maxSearches: count(8, 1, 100, 'Searches and views under way at the same time, of each replica.'),
    maxExports: count(2, 1, 16, 'Exports under way at the same time, of each replica.'),
    exportSettleMs: ms(
      30_000,
      0,
      600_000,
      'How long an export waits until everything accepted before it is archived and indexed.',
    ),
    maxExportFiles: count(100_000, 1, 1_000_000, 'Files of an export.'),
    exportRefs: count(
      100_000,
      100,
      10_000_000,
      'Records of one day that an export puts in order at once; a day with more is gone through several times.',
    ),
    mailRecords: count(500, 1, 10_000, 'Records of one exported message; a conversation with more gets several.'),
    roleMaxAgeMs: ms(
      3_000,
      0,
      60_000,
      'How long is remembered which roles somebody holds who looks into the archive, whatever his token says.',
    ),
    roleStaleMs: ms(
      30_000,
      0,
      600_000,
      'How long that is relied on when the directory does not answer; then nothing is shown.',
    ),
    directoryTimeoutMs: ms(3_000, 10, 30_000, 'How long the directory may take to answer.'),
  })
  .describe('Archiving of messages.');

export type ArchivingConfig = z.infer<typeof archivingConfigSchema>;
