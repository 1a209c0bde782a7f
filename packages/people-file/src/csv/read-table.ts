import { DEFAULT_LIMITS, type PeopleFileLimits } from '../limits.ts';
import { type ByteSource, readLines } from '../lines.ts';
import type { Problem } from '../row.ts';
import type { Column } from './header.ts';
import { createTable, type TableRow } from './table.ts';

/** How to read a table. */
export interface ReadTableOptions<F extends string> {
  readonly columns: readonly Column<F>[];
  /** Fields of which at least one must have a column. */
  readonly needed: readonly F[];
  readonly encoding?: string | undefined;
  readonly limits?: Partial<PeopleFileLimits>;
}

/** Reads any CSV table with a header row, as `readPeopleFile` does one of people. Throws `PeopleFileError` alone. */
export async function* readTable<F extends string>(
  source: ByteSource,
  { columns, needed, encoding, limits: some }: ReadTableOptions<F>,
): AsyncGenerator<TableRow<F> | Problem> {
  const limits = { ...DEFAULT_LIMITS, ...some };
  const table = createTable({ columns, needed, limits });
  for await (const lines of readLines(source, { ...(encoding !== undefined && { encoding }), limits }))
    for (const line of lines) yield* table.push(line);
  yield* table.end();
}
