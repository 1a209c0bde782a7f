import { type ArchivedItem, RecordState } from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import {
  itemJson,
  type PurposeOptions,
  purposeOf,
  type QueryOptions,
  queryOf,
  STATES,
  withPurpose,
  withQuery,
} from '../archive/query.ts';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { counted, oneLine, sanitise, truncate } from '../output/text.ts';
import { timeOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';

/** Records of one answer (archive.proto: at most 200). */
const PAGE = 200;

/** `archive search` and `archive view`. */
export function archiveReadCommands(shell: Shell): readonly Command[] {
  return [
    examples(
      withQuery(withPurpose(new Command('search').description('find records, newest first')))
        .option('--limit <count>', 'at most so many', parseCount(1, 1_000_000), 50)
        .option('--ids', 'show the ids of records, for archive view')
        .action(shell.action(search)),
      'archive search --case HR-2026-014 --reason "complaint of 2 January" --person tom.okafor@hospital.example --from 2026-01-01 --until 2026-01-05',
      'archive search --case HR-2026-014 --reason "complaint of 2 January" --words 會議室 --json',
    ),
    examples(
      withPurpose(
        new Command('view').description('show a record with what was said before and after it in its conversation'),
      )
        .argument('<record>', 'id of the record, as archive search --ids shows it')
        .option('--before <count>', 'records before it', parseCount(0, 100), 10)
        .option('--after <count>', 'records after it', parseCount(0, 100), 10)
        .action(shell.action(view)),
      'archive view --case HR-2026-014 --reason "complaint of 2 January" RECORD-ID --before 20',
    ),
  ];
}

async function search(
  cli: Cli,
  options: PurposeOptions & QueryOptions & { limit: number; ids?: boolean },
): Promise<void> {
  const { print, io } = cli;
  const { discovery } = cli.client().services;
  const items: ArchivedItem[] = [];
  let [cursor, notIndexed, auditIds] = ['', 0n, [] as string[]];
  do {
    const limit = Math.min(PAGE, options.limit - items.length);
    const request = { purpose: purposeOf(options), query: queryOf(options), limit, cursor };
    const page = await discovery.search(request, { signal: io.interrupted });
    items.push(...page.items);
    notIndexed = page.notIndexed;
    auditIds.push(page.auditId);
    cursor = page.nextCursor;
    print.progress(cursor === '' ? '' : `${items.length} found …`);
  } while (cursor !== '' && items.length < options.limit);
  const more = cursor !== '';
  const value = { records: items.map(itemJson), more, notIndexed: Number(notIndexed), audit: auditIds };
  print.result(value, () => (items.length === 0 ? ['Nothing was found.'] : recordTable(cli, items, options.ids)));
  if (more) print.note(`There is more; ask for it with --limit, or narrow the query.`);
  if (notIndexed > 0n) print.note(`Archived lately and not to be found yet: ${counted(notIndexed, 'record')}.`);
}

function recordTable(cli: Cli, items: readonly ArchivedItem[], ids = false): readonly string[] {
  const now = cli.io.now();
  const { print } = cli;
  const textOf = (item: ArchivedItem) =>
    item.state === RecordState.ARCHIVED ? item.text : `(${STATES[item.state]}) ${item.text}`;
  const row = (item: ArchivedItem) => [
    timeOf(Number(item.acceptedMs), now),
    nameOf(item.sender),
    item.recipients.map(nameOf).join(', ') || '-',
    ...(ids ? [item.recordId] : []),
    textOf(item),
  ];
  const head = ['WHEN', 'FROM', 'TO', ...(ids ? ['RECORD'] : []), 'TEXT'];
  // An id that was cut would be of no use.
  if (!ids || !print.terminal) return print.table(head, items.map(row));
  return items.flatMap(item => {
    const [when = '', from = '', to = '', record = '', text = ''] = row(item).map(oneLine);
    return [
      print.style('dim', record),
      `  ${when}  ${from} → ${to}`,
      `    ${truncate(text, (cli.io.stdout.columns ?? 80) - 4)}`,
    ];
  });
}

async function view(
  cli: Cli,
  options: PurposeOptions & { before: number; after: number },
  recordId: string,
): Promise<void> {
  const { print, io } = cli;
  const { before, after } = options;
  const request = { purpose: purposeOf(options), recordId, before, after };
  const answer = await cli.client().services.discovery.view(request, { signal: io.interrupted });
  const value = {
    record: recordId,
    records: answer.items.map(itemJson),
    raw: Buffer.from(answer.raw).toString('base64'),
    audit: answer.auditId,
  };
  const now = io.now();
  print.result(value, () =>
    answer.items.flatMap(item => {
      const wanted = item.recordId === recordId;
      const marks = item.state === RecordState.ARCHIVED ? '' : ` (${STATES[item.state]})`;
      const head = `${wanted ? '>' : ' '} ${timeOf(Number(item.acceptedMs), now)}  ${nameOf(item.sender)}${marks}`;
      const body = sanitise(item.text).split('\n');
      return [wanted ? print.style('bold', head) : head, ...body.map(line => `      ${line}`)];
    }),
  );
}

const nameOf = (party: ArchivedItem['sender']): string => party?.displayName || party?.address || party?.id || '-';
