import type { AuditEntry } from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import { parseWhen } from '../archive/when.ts';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { EXIT } from '../exit-codes.ts';
import { counted, oneLine } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';

/** Entries of one answer (archive.proto: at most 200). */
const PAGE = 200;

/** `audit list|verify`. */
export function auditCommand(shell: Shell): Command {
  const audit = new Command('audit').description('look at who looked into the archive');
  audit.addCommand(
    examples(
      new Command('list')
        .description('list entries of the audit log, newest first')
        .option('--case <id>', 'only of this case')
        .option('--person <person>', 'only by this person, address or id')
        .option('--from <time>', 'at or after: a day or time here, or a time with Z or an offset', parseWhen(false))
        .option('--until <time>', 'before; a day counts to its end', parseWhen(true))
        .option('--limit <count>', 'at most so many', parseCount(1, 1_000_000), 50)
        .option('--details', 'also show what was asked and what came of it')
        .action(shell.action(list)),
      'audit list --case HR-2026-014',
      'audit list --person vera.lin@hospital.example --from 2026-01-01 --json | jq -r .[].reason',
    ),
  );
  audit.addCommand(
    examples(
      new Command('verify')
        .description('check every entry, its signature and the copies of it; exit code 1 when anything is wrong')
        .action(shell.action(verify)),
      'audit verify',
    ),
  );
  return audit;
}

interface ListOptions {
  readonly case?: string;
  readonly person?: string;
  readonly from?: number;
  readonly until?: number;
  readonly limit: number;
  readonly details?: boolean;
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const { print, io } = cli;
  const entries: AuditEntry[] = [];
  let cursor = '';
  do {
    const page = await cli.client().services.audit.listEntries(
      {
        caseId: options.case ?? '',
        person: options.person ?? '',
        fromMs: BigInt(options.from ?? 0),
        untilMs: BigInt(options.until ?? 0),
        limit: Math.min(PAGE, options.limit - entries.length),
        cursor,
      },
      { signal: io.interrupted },
    );
    entries.push(...page.entries);
    cursor = page.nextCursor;
  } while (cursor !== '' && entries.length < options.limit);
  const now = io.now();
  print.result(entries.map(entryJson), () =>
    entries.length === 0
      ? ['There are no such entries.']
      : options.details
        ? entries.flatMap(entry => detailLines(entry, now))
        : print.table(
            ['NUMBER', 'WHEN', 'WHO', 'WHAT', 'CASE', 'REASON'],
            entries.map(entry => rowOf(entry, now)),
          ),
  );
  if (cursor !== '') print.note('There are more; ask for them with --limit.');
}

function rowOf(entry: AuditEntry, now: number): string[] {
  const { number, atMs, person, action, purpose } = entry;
  return [
    String(number),
    timeOf(Number(atMs), now),
    person?.displayName || person?.address || person?.id || '-',
    action,
    purpose?.caseId || '-',
    purpose?.reason || '-',
  ];
}

/** What was asked and what came of it is as long as it is: it is not cut. */
function detailLines(entry: AuditEntry, now: number): string[] {
  const row = rowOf(entry, now).map(oneLine);
  return [row.join('  '), `    asked    ${oneLine(entry.detailJson)}`, `    outcome  ${oneLine(entry.outcomeJson)}`];
}

function entryJson(entry: AuditEntry) {
  const { person, purpose } = entry;
  return {
    number: Number(entry.number),
    id: entry.auditId,
    at: isoOf(entry.atMs),
    person: { id: person?.id ?? '', address: person?.address ?? '', displayName: person?.displayName ?? '' },
    action: entry.action,
    case: purpose?.caseId ?? '',
    reason: purpose?.reason ?? '',
    detail: parsed(entry.detailJson),
    outcome: parsed(entry.outcomeJson),
    peer: entry.peer,
    hash: entry.hash,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function verify(cli: Cli): Promise<number> {
  const { print, io } = cli;
  print.progress('checking …');
  const answer = await cli.client().services.audit.verifyEntries({}, { signal: io.interrupted, timeoutMs: 0 });
  const { intact, findings } = answer;
  const [entries, checkpointed] = [Number(answer.entries), Number(answer.checkpointed)];
  print.result({ intact, entries, checkpointed, findings }, () => [
    intact
      ? print.style('green', 'The audit log is intact.')
      : print.style(['red', 'bold'], `The audit log is NOT intact: ${counted(findings.length, 'finding')}.`),
    ...findings.map(finding => `  ${oneLine(finding)}`),
    `${counted(entries, 'entry', 'entries')}, ${checkpointed} of them covered by a signed statement in the second place.`,
  ]);
  return intact ? EXIT.ok : EXIT.negative;
}
