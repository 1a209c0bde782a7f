import { PeopleFileError } from '../errors.ts';
import type { PeopleFileLimits } from '../limits.ts';
import type { TextLine } from '../lines.ts';
import { isProblem, type Problem, problem } from '../row.ts';
import { type Column, type Header, readHeader } from './header.ts';
import { createCsvRecords } from './records.ts';

/** A row of a table: the values of a field, in the order of the names of its columns; undefined where it has none. */
export interface TableRow<F extends string = string> {
  readonly line: number;
  values(field: F): readonly string[] | undefined;
}

/** Settings of a table. */
export interface TableOptions<F extends string> {
  readonly columns: readonly Column<F>[];
  /** At least one of them must be there. */
  readonly needed: readonly F[];
  readonly limits: PeopleFileLimits;
  /** Told once the header row is understood. */
  readonly onHeader?: ((header: Header<F>) => void) | undefined;
}

/** Makes rows of lines, the first of which is the header row. Empty rows are left out. */
export function createTable<F extends string>({ columns, needed, limits, onHeader }: TableOptions<F>) {
  let header: Header<F> | undefined;
  let records: ReturnType<typeof createCsvRecords> | undefined;
  let delimiter: string | undefined;
  let rows = 0;

  function begin(line: TextLine): void {
    if (isProblem(line)) throw new PeopleFileError('people_file.header_invalid', { reason: line.reason }, line.line);
    if (line.text.trim() === '' || line.text.startsWith('#')) return; // PowerShell writes `#TYPE …` first
    const separator = /^sep=([,;\t])$/i.exec(line.text.trimStart());
    if (separator && delimiter === undefined) {
      delimiter = separator[1]; // Excel says so in a line of its own
      return;
    }
    header = readHeader(line.text, line.number, columns, limits, delimiter);
    const { places } = header;
    if (!needed.some(field => places.has(field))) {
      const names = columns.filter(c => needed.includes(c.field)).map(c => c.names[0]);
      throw new PeopleFileError('people_file.column_missing', { columns: names.join(' or ') }, line.number);
    }
    records = createCsvRecords(header.delimiter, limits);
    onHeader?.(header);
  }
  function understood(found: readonly ({ line: number; cells: readonly string[] } | Problem)[]) {
    const { width, places } = header as Header<F>;
    return found.flatMap((record): (TableRow<F> | Problem)[] => {
      if (!isProblem(record) && record.cells.every(cell => cell.trim() === '')) return [];
      if (++rows > limits.rows)
        throw new PeopleFileError('people_file.too_many_rows', { limit: limits.rows }, record.line);
      if (isProblem(record)) return [record];
      const { line, cells } = record;
      if (cells.length < width || cells.slice(width).some(cell => cell.trim() !== ''))
        return [problem(line, 'row', 'people_file.cell_count', { cells: cells.length, columns: width })];
      return [{ line, values: field => places.get(field)?.map(at => cells[at] as string) }];
    });
  }
  return {
    push(line: TextLine): readonly (TableRow<F> | Problem)[] {
      if (records) return understood(records.push(line));
      begin(line);
      return [];
    },
    end(): readonly (TableRow<F> | Problem)[] {
      if (!records) throw new PeopleFileError('people_file.empty');
      return understood(records.end());
    },
  };
}
