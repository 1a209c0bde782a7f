import { type ParkedRecord, ParkReason } from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';

/** Records of one answer (archive.proto: at most 200). */
const PAGE = 200;

/** `archive parked`. */
export function archiveParkedCommand(shell: Shell): Command {
  return examples(
    new Command('parked')
      .description('list records that could not be processed, oldest first, with the reason; never what they say')
      .option('--limit <count>', 'at most so many', parseCount(1, 1_000_000), 50)
      .action(shell.action(parked)),
    'archive parked',
    'archive parked --json | jq -r .records[].reason | sort | uniq -c',
  );
}

/** Reasons for machines, and what they mean. */
const REASONS: Readonly<Record<ParkReason, readonly [code: string, words: string]>> = {
  [ParkReason.UNSPECIFIED]: ['unknown', 'parked by an earlier version, which did not say why'],
  [ParkReason.NOT_A_RECORD]: ['not-a-record', 'the bytes are no archive record'],
  [ParkReason.UNKNOWN_VERSION]: ['unknown-version', 'written by a later version of Parley'],
  [ParkReason.UNKNOWN_KIND]: ['unknown-kind', 'of a kind this version does not know'],
  [ParkReason.INVALID]: ['invalid', 'an id, a hash or the recipients cannot be'],
};
const reasonOf = (reason: ParkReason) => REASONS[reason] ?? REASONS[ParkReason.UNSPECIFIED];

async function parked(cli: Cli, options: { limit: number }): Promise<void> {
  const { print, io } = cli;
  const records: ParkedRecord[] = [];
  let cursor = '';
  do {
    const limit = Math.min(PAGE, options.limit - records.length);
    const page = await cli.client().services.archive.listParked({ limit, cursor }, { signal: io.interrupted });
    records.push(...page.records);
    cursor = page.nextCursor;
  } while (cursor !== '' && records.length < options.limit);
  const now = io.now();
  const value = records.map(({ linkId, parkedMs, reason, size, sha256 }) => ({
    link: linkId,
    at: isoOf(parkedMs),
    reason: reasonOf(reason)[0],
    size: Number(size),
    sha256,
  }));
  print.result({ records: value, more: cursor !== '' }, () =>
    records.length === 0
      ? ['Nothing is parked.']
      : print.table(
          ['PARKED', 'LINK', 'BYTES', 'SHA-256', 'REASON'],
          records.map(({ linkId, parkedMs, reason, size, sha256 }) => [
            timeOf(Number(parkedMs), now),
            linkId,
            String(size),
            sha256.slice(0, 16),
            reasonOf(reason)[1],
          ]),
        ),
  );
  if (cursor !== '') print.note('There is more; ask for it with --limit.');
}
