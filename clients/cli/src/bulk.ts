import { Code } from '@connectrpc/connect';
import { ParleyClientError, toClientError } from '@parley/client';
import { isProblem, type Problem } from '@parley/people-file';
import type { Cli } from './cli.ts';
import { EXIT } from './exit-codes.ts';
import { failureOf } from './output/failure.ts';

/** What became of one of many. */
export interface Done {
  /** In a word or two: `disabled`. */
  readonly outcome: string;
  /** What people need to know besides. */
  readonly detail?: string;
  /** What machines get besides. */
  readonly json?: object;
}

/** One of many: a person, and the line that named him when a file did. */
export interface Task {
  readonly person: string;
  readonly line?: number;
}

interface Row {
  readonly person: string;
  readonly outcome: string;
  readonly detail: string;
  readonly refused: boolean;
  /** What machines get. */
  readonly json: object;
}

/** Calls under way at once. */
const AT_ONCE = 4;

/**
 * Does the same for many people, in their order, a few at once. A refusal is one line of the outcome and the others go
 * on; a sign-in that is over, a role that is not there or a server that cannot be reached ends the command. What was
 * done until then is printed in any case. Resolves with the exit code: 1 when anybody was refused.
 */
export async function forEach<T extends Task>(
  cli: Cli,
  tasks: AsyncIterable<T | Problem> | Iterable<T | Problem>,
  work: (task: T) => Promise<Done>,
): Promise<number> {
  const { print, io } = cli;
  const rows: Row[] = [];
  const underWay: Promise<Row>[] = [];

  const one = async (task: T | Problem): Promise<Row> => {
    if (isProblem(task)) {
      const { line, field, code, reason } = task;
      const json = { line, outcome: 'refused', field, code, message: reason };
      return refusedRow(`line ${line}`, `${field}: ${reason} (${code})`, json);
    }
    const { person, line } = task;
    const where = { ...(line !== undefined && { line }), person };
    try {
      const { outcome, detail = '', json = {} } = await work(task);
      return { person, outcome, detail, refused: false, json: { ...where, outcome, ...json } };
    } catch (error) {
      const failure = toClientError(error, io.interrupted);
      if (!isRefusal(failure)) throw failure;
      const { code, message, field } = failureOf(failure);
      const json = { ...where, outcome: 'refused', code, ...(field && { field }), message };
      return refusedRow(person, `${message} (${code})`, json);
    }
  };
  const done = (row: Row) => {
    rows.push(row);
    if (print.json) print.event(row.json, () => '');
    else print.progress(`${rows.length} done`);
  };
  const settle = async () => done(await (underWay[0] as Promise<Row>).finally(() => underWay.shift()));
  try {
    for await (const task of tasks) {
      io.interrupted.throwIfAborted();
      const next = one(task);
      next.catch(() => undefined); // told when its turn comes
      underWay.push(next);
      while (underWay.length >= AT_ONCE) await settle();
    }
    while (underWay.length > 0) await settle();
  } finally {
    for (const row of await Promise.allSettled(underWay)) if (row.status === 'fulfilled') done(row.value);
    printRows(cli, rows);
  }
  return rows.some(row => row.refused) ? EXIT.negative : EXIT.ok;
}

const refusedRow = (person: string, detail: string, json: object): Row => ({
  person,
  outcome: 'refused',
  detail,
  refused: true,
  json,
});

/** Whether it is about this person alone, so that others may fare better. */
function isRefusal(failure: Error): failure is ParleyClientError {
  if (!(failure instanceof ParleyClientError) || failure.retryable) return false;
  if (failure.status === Code.Unauthenticated || failure.status === Code.Unimplemented) return false;
  return !failure.code.startsWith('rpc.') && !failure.code.startsWith('client.');
}

function printRows({ print }: Cli, rows: readonly Row[]): void {
  if (print.json) return;
  const refused = rows.filter(row => row.refused).length;
  const cells = rows.map(({ person, outcome, detail, refused: no }) => [
    person,
    { text: outcome, paint: (text: string) => print.style(no ? 'red' : 'green', text) },
    detail,
  ]);
  print.result(undefined, () =>
    rows.length === 0 ? ['Nobody.'] : print.table(['PERSON', 'OUTCOME', 'DETAIL'], cells),
  );
  if (refused > 0) print.note(`${refused} of ${rows.length} refused.`);
}
