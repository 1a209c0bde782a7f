import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';
import { ImportAction, ImportRowSchema } from '@parley/contracts/directory/v1/admin';
import {
  filesBelow,
  type ImportCounts,
  importPeople,
  type PeopleFileFormat,
  type PeopleRow,
  type Problem,
  type RowField,
  type RowOutcome,
  readPeopleFile,
} from '@parley/people-file';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Cli } from '../../cli.ts';
import { parseCount } from '../../duration.ts';
import { EXIT, UsageError } from '../../exit-codes.ts';
import { bytesOf, fileFailure } from '../../input-file.ts';
import { counted } from '../../output/text.ts';
import { lengthOf } from '../../output/time.ts';
import { retrying } from '../../retry.ts';
import { examples, type Shell } from '../../shell.ts';

const IGNORABLE: readonly Exclude<RowField, 'address'>[] = [
  'external_id',
  'other_addresses',
  'display_name',
  'department',
  'title',
  'language',
  'site',
  'manager',
  'groups',
  'photo',
  'initial_password',
  'enabled',
];

/** `users import`. */
export const importCommand = (shell: Shell): Command =>
  examples(
    new Command('import')
      .description('make and change people by a file, CSV or LDIF; bad rows are told and the others imported')
      .argument('<file>', 'the file; - for standard input')
      .addOption(
        new Option('--format <format>', 'form of the file; default: what it looks like').choices(['csv', 'ldif']),
      )
      .option('-e, --encoding <name>', 'encoding, like big5 or utf-16le; default: the mark of the file, else UTF-8')
      .option('-n, --dry-run', 'say what would be done, and do nothing')
      .option('--errors <file>', 'write bad rows to a file, as CSV with line, field, code, reason')
      .option('--ignore <fields>', `do not look at these: ${IGNORABLE.join(', ')}`, parseFields)
      .option('--concurrency <count>', 'calls under way at once, 1 to 8', parseCount(1, 8), 3)
      .addHelpText('after', COLUMNS_HELP)
      .action(shell.action(importFile)),
    'users import people.csv --dry-run',
    'users import people.csv --encoding big5 --errors bad-rows.csv',
    'users import directory.ldif --ignore groups,photo',
  );

const COLUMNS_HELP = `
Columns of a CSV, the first row naming them (case, spaces and dashes make no difference):
  address (mail, email, user principal name …), display name (name, cn … or given name and surname),
  external id (employee number, employee id, object guid …), other addresses, department, title (job title),
  language, site, manager (address, id, external id or distinguished name), groups (member of), photo (a path
  beside the file), enabled or disabled (active, status …), initial password.
A column that is there and empty empties the field; one that is not there leaves it as it is.`;

function parseFields(text: string): (typeof IGNORABLE)[number][] {
  return text.split(',').map(part => {
    const name = part.trim().replaceAll('-', '_');
    const field = IGNORABLE.find(one => one === name);
    if (!field) throw new InvalidArgumentError(`Fields are ${IGNORABLE.join(', ')}.`);
    return field;
  });
}

interface Options {
  readonly format?: PeopleFileFormat;
  readonly encoding?: string;
  readonly dryRun?: boolean;
  readonly errors?: string;
  readonly ignore?: (typeof IGNORABLE)[number][];
  readonly concurrency: number;
}

/** A call with 200 rows, among them passwords to be hashed, may take its time. */
const LEAST_TIMEOUT_MS = 120_000;
/** Bad rows that people see; the rest is in the file of errors. */
const MOST_SHOWN = 100;
const PROGRESS_EVERY_MS = 200;

async function importFile(cli: Cli, options: Options, path: string): Promise<number> {
  const { print, io } = cli;
  const dryRun = options.dryRun === true;
  const send = sender(cli, dryRun);
  const problems: Problem[] = [];
  const errors = options.errors === undefined ? undefined : errorFile(options.errors);
  const began = io.now();
  let counts: ImportCounts | undefined;
  let shownAt = 0;

  const items = readPeopleFile(bytesOf(cli, path), {
    ...(options.format && { format: options.format }),
    ...(options.encoding !== undefined && { encoding: options.encoding }),
    ...(options.ignore && { ignore: options.ignore }),
    // pictures lie beside the file; what comes from standard input has nothing beside it
    ...(path !== '-' && { photos: filesBelow(dirname(resolve(path))) }),
    onHeader({ ignored }) {
      if (ignored.length > 0) print.note(`Columns not looked at: ${ignored.join(', ')}.`);
    },
  });
  try {
    counts = await importPeople(items, {
      send,
      dryRun,
      concurrency: options.concurrency,
      signal: io.interrupted,
      onRow({ line, row }, { action, personId, changed }) {
        if (print.json && action !== 'refused')
          print.event({ type: 'row', line, address: row.address, action, personId, changed }, () => '');
      },
      onProblem(problem) {
        errors?.write(problem);
        if (problems.length < MOST_SHOWN) problems.push(problem);
        if (print.json) print.event({ type: 'refused', ...problem }, () => '');
      },
      onProgress(now) {
        counts = { ...now };
        if (io.now() - shownAt < PROGRESS_EVERY_MS) return;
        shownAt = io.now();
        print.progress(progressText(now, shownAt - began));
      },
    });
  } catch (error) {
    if (counts) print.note(`Until then: ${summaryText(counts, dryRun)}. A repetition goes on where this ended.`);
    throw fileFailure(path, error);
  } finally {
    print.progress('');
    errors?.close();
    const rows = problems.map(({ line, field, code, reason }) => [String(line), field, code, reason]);
    print.problems(['LINE', 'FIELD', 'CODE', 'REASON'], rows);
  }
  const done: ImportCounts = counts ?? NOTHING;
  const bad = done.refused + done.managersRefused;
  if (bad > problems.length) print.note(`… and ${bad - problems.length} more: --errors FILE writes all of them.`);
  const ms = io.now() - began;
  const value = { type: 'result', dryRun, ...done, durationMs: ms };
  if (print.json) print.event(value, () => '');
  else
    print.result(undefined, () => [
      `${done.rows} rows in ${lengthOf(ms)}${rateText(done.rows, ms)}: ${summaryText(done, dryRun)}.`,
      ...(bad > 0 && options.errors !== undefined ? [`Bad rows are in ${options.errors}.`] : []),
    ]);
  return bad > 0 ? EXIT.negative : EXIT.ok;
}

const NOTHING: ImportCounts = {
  rows: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  refused: 0,
  managersRefused: 0,
  skipped: 0,
};

function summaryText(counts: ImportCounts, dryRun: boolean): string {
  const { created, updated, unchanged, refused, managersRefused, skipped } = counts;
  return [
    dryRun ? `${created} would be created` : `${created} created`,
    dryRun ? `${updated} would be updated` : `${updated} updated`,
    `${unchanged} unchanged`,
    `${refused} refused`,
    ...(managersRefused > 0 ? [`${counted(managersRefused, 'manager')} refused`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'entry', 'entries')} about no person`] : []),
  ].join(', ');
}

function progressText(counts: Readonly<ImportCounts>, ms: number): string {
  const done = counts.created + counts.updated + counts.unchanged + counts.refused;
  const rate = rateText(done, ms);
  const { created, updated, unchanged, refused } = counts;
  return `${done} rows${rate}: ${created} created, ${updated} updated, ${unchanged} unchanged, ${refused} refused`;
}

/** How fast it goes, once that can be told. */
const rateText = (rows: number, ms: number) => (ms < 1_000 ? '' : `, ${Math.round((rows * 1_000) / ms)} rows/s`);

const ACTIONS: Readonly<Record<ImportAction, RowOutcome['action'] | undefined>> = {
  [ImportAction.UNSPECIFIED]: undefined,
  [ImportAction.CREATED]: 'created',
  [ImportAction.UPDATED]: 'updated',
  [ImportAction.UNCHANGED]: 'unchanged',
  [ImportAction.REFUSED]: 'refused',
};

/** Refusals of a row that may go the other way a moment later. */
const PASSING = new Set(['directory.busy', 'directory.store_unavailable', 'directory.outcome_unknown']);
const ROW_TRIES = 4;

/** Sends rows, again where the server was busy; an import may be repeated without harm. */
function sender(cli: Cli, dryRun: boolean) {
  const client = cli.newClient({ timeoutMs: Math.max(LEAST_TIMEOUT_MS, cli.options.timeout) });
  const call = async (rows: readonly PeopleRow[]): Promise<RowOutcome[]> => {
    const request = { rows: rows.map(messageOf), dryRun };
    const { outcomes } = await retrying(cli, () =>
      client.services.directoryAdmin.importPeople(request, { signal: cli.io.interrupted }),
    );
    if (outcomes.length !== rows.length)
      throw new ParleyClientError(
        'client.bad_answer',
        Code.Internal,
        'the server answered for other rows than were sent',
      );
    return outcomes.map(({ action, ...rest }) => ({ ...rest, action: ACTIONS[action] ?? 'refused' }));
  };
  return async (rows: readonly PeopleRow[]): Promise<readonly RowOutcome[]> => {
    const outcomes = await call(rows);
    for (let tries = 1; tries < ROW_TRIES; tries++) {
      const again = outcomes.flatMap((outcome, at) => (PASSING.has(outcome.code) ? [at] : []));
      if (again.length === 0) break;
      const next = await call(again.map(at => rows[at] as PeopleRow));
      for (const [i, at] of again.entries()) outcomes[at] = next[i] as RowOutcome;
    }
    return outcomes;
  };
}

function messageOf({ groups, otherAddresses, ...row }: PeopleRow) {
  return create(ImportRowSchema, {
    ...row,
    otherAddresses: [...otherAddresses],
    ...(groups && { groups: [...groups], setGroups: true }),
  });
}

/** A table of bad rows, written as they are found. */
function errorFile(path: string) {
  let file: number;
  try {
    file = openSync(path, 'w', 0o600);
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  writeSync(file, 'line,field,code,reason\r\n');
  return {
    write: ({ line, field, code, reason }: Problem) =>
      void writeSync(file, `${[String(line), field, code, reason].map(cell).join(',')}\r\n`),
    close: () => closeSync(file),
  };
}
