import { isProblem, type PeopleRow, type Problem } from '../row.ts';
import type { RowOutcome, SendRows } from './outcome.ts';

/** What goes through: rows to be sent, and refusals that keep their place among them. */
export type Entry<T> = (T & { readonly line: number; readonly row: PeopleRow }) | Problem;

/** How much goes at once. */
export interface BatchOptions {
  readonly send: SendRows;
  /** Rows of a call; default and most: 200. */
  readonly batchRows?: number;
  /** Bytes of a call, about; default 2 MiB. */
  readonly batchBytes?: number;
  /** Calls under way at once; default 3. */
  readonly concurrency?: number;
}

/** A password is hashed on arrival, which takes as long as many rows. */
const ROWS_A_PASSWORD_COSTS = 8;
/** Refusals kept back at most while no row comes. */
const MOST_WAITING = 1_000;

/** Sends rows in calls of a bounded size, a few at once, and hands their outcomes on in the order they came in. */
export function createBatches<T>(
  { send, batchRows = 200, batchBytes = 2 * 1024 ** 2, concurrency = 3 }: BatchOptions,
  settle: (entry: Entry<T>, outcome: RowOutcome | undefined) => void,
) {
  let waiting: Entry<T>[] = [];
  let weight = 0;
  let bytes = 0;
  const underWay: { readonly entries: readonly Entry<T>[]; readonly outcomes: Promise<readonly RowOutcome[]> }[] = [];

  function dispatch(): void {
    if (waiting.length === 0) return;
    const entries = waiting;
    const rows = entries.flatMap(entry => (isProblem(entry) ? [] : [entry.row]));
    const outcomes = rows.length === 0 ? Promise.resolve([]) : send(rows);
    outcomes.catch(() => undefined); // told when its turn comes
    underWay.push({ entries, outcomes });
    waiting = [];
    weight = 0;
    bytes = 0;
  }
  async function settleOldest(): Promise<void> {
    const next = underWay[0];
    if (!next) return;
    try {
      const outcomes = await next.outcomes;
      let at = 0;
      for (const entry of next.entries) settle(entry, isProblem(entry) ? undefined : outcomes[at++]);
    } finally {
      underWay.shift();
    }
  }
  return {
    async add(entry: Entry<T>): Promise<void> {
      const size = isProblem(entry) ? 0 : bytesOf(entry.row);
      const cost = isProblem(entry) ? 0 : entry.row.initialPassword ? ROWS_A_PASSWORD_COSTS : 1;
      if (weight + cost > batchRows || bytes + size > batchBytes || waiting.length >= MOST_WAITING) dispatch();
      waiting.push(entry);
      weight += cost;
      bytes += size;
      while (underWay.length >= concurrency) await settleOldest();
    },
    /** Sends the rest and waits for everything. */
    async end(): Promise<void> {
      dispatch();
      while (underWay.length > 0) await settleOldest();
    },
    /** After a failure: takes in what is under way, sends nothing more. */
    async drain(): Promise<void> {
      waiting = [];
      while (underWay.length > 0) await settleOldest().catch(() => undefined);
    },
  };
}

/** About what a row takes on the wire; a character takes 3 bytes at most, or 4 with its twin. */
function bytesOf(row: PeopleRow): number {
  let total = 64 + (row.photo?.length ?? 0);
  for (const value of Object.values(row)) {
    if (typeof value === 'string') total += value.length * 3 + 4;
    else if (Array.isArray(value)) for (const one of value as string[]) total += one.length * 3 + 4;
  }
  return total;
}
