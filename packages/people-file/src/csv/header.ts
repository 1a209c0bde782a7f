import { PeopleFileError } from '../errors.ts';
import type { PeopleFileLimits } from '../limits.ts';
import { createRecord } from './record.ts';

/** A column that is understood. */
export interface Column<F extends string = string> {
  readonly field: F;
  /** Names it goes by, the most telling first: where a file has several of them, the first counts. */
  readonly names: readonly string[];
}

/** Where the values of each field stand. */
export interface Header<F extends string = string> {
  readonly delimiter: string;
  /** How many columns there are. */
  readonly width: number;
  /** Columns of each field, in the order of its names. */
  readonly places: ReadonlyMap<F, readonly number[]>;
  /** Names of columns that are not understood. */
  readonly ignored: readonly string[];
}

/** Comma, semicolon and tab, as programs write tables. */
export const DELIMITERS = [',', ';', '\t'] as const;

/** Without regard to case, width, spaces, `-`, `_` and `.`. */
export const nameKey = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\-_.]+/gu, '');

/**
 * Understands a header row. The delimiter is the one with which the most columns are understood, and the most are
 * there. Throws `PeopleFileError` when the row is malformed, names a column twice or has too many.
 */
export function readHeader<F extends string>(
  text: string,
  line: number,
  columns: readonly Column<F>[],
  limits: Pick<PeopleFileLimits, 'columns'>,
  delimiter?: string,
): Header<F> {
  const candidates = (delimiter === undefined ? DELIMITERS : [delimiter]).flatMap(one => {
    const fed = createRecord(one)(text);
    return typeof fed === 'string' ? [] : [{ delimiter: one, cells: fed.cells, known: knownIn(fed.cells, columns) }];
  });
  const best = candidates.sort((a, b) => b.known - a.known || b.cells.length - a.cells.length)[0];
  if (!best) throw new PeopleFileError('people_file.header_invalid', { reason: 'its quotation marks' }, line);
  if (best.cells.length > limits.columns)
    throw new PeopleFileError('people_file.too_many_columns', { limit: limits.columns }, line);

  const keys = best.cells.map(nameKey);
  const places = new Map<F, readonly number[]>();
  const used = new Set<number>();
  for (const { field, names } of columns) {
    const found = names.flatMap(name => {
      const at = keys.indexOf(nameKey(name));
      if (at !== -1 && keys.indexOf(nameKey(name), at + 1) !== -1)
        throw new PeopleFileError('people_file.column_twice', { column: best.cells[at]?.trim() ?? name }, line);
      return at === -1 ? [] : [at];
    });
    if (found.length > 0) places.set(field, found);
    for (const at of found) used.add(at);
  }
  return {
    delimiter: best.delimiter,
    width: best.cells.length,
    places,
    ignored: best.cells.map(cell => cell.trim()).filter((name, at) => !used.has(at) && name !== ''),
  };
}

function knownIn(cells: readonly string[], columns: readonly Column[]): number {
  const keys = new Set(cells.map(nameKey));
  return columns.filter(({ names }) => names.some(name => keys.has(nameKey(name)))).length;
}
