import type { PeopleFileLimits } from '../limits.ts';
import type { TextLine } from '../lines.ts';
import { isProblem, type Problem, problem } from '../row.ts';
import { createRecord } from './record.ts';

/** A record of a table, not yet understood. */
export interface CsvRecord {
  /** Line on which it begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Makes records of lines. A malformed record costs its own line only: whatever it had swallowed is read again from the
 * next line on, so that one stray quotation mark does not take the rows after it along. (csv-parse, against which the
 * tests compare, loses every row up to the next quotation mark.)
 */
export function createCsvRecords(delimiter: string, limits: PeopleFileLimits) {
  const { rowCharacters, rowLines } = limits;
  let pending: { readonly number: number; readonly text: string }[] = [];
  let feed = createRecord(delimiter);
  let characters = 0;

  function begin(): void {
    pending = [];
    feed = createRecord(delimiter);
    characters = 0;
  }
  /** The first of the pending lines is at fault; the others have another chance. */
  function giveUp(code: Parameters<typeof problem>[2], out: (CsvRecord | Problem)[]): void {
    const [first, ...rest] = pending;
    begin();
    if (first) out.push(problem(first.number, 'row', code, { limit: rowCharacters }));
    for (const line of rest) take(line, out);
  }
  function take(line: TextLine, out: (CsvRecord | Problem)[]): void {
    if (isProblem(line)) {
      while (pending.length > 0) giveUp('people_file.quote_unclosed', out);
      out.push(line);
      return;
    }
    pending.push(line);
    characters += line.text.length + 1;
    if (characters > rowCharacters)
      return giveUp(pending.length === 1 ? 'people_file.row_too_long' : 'people_file.quote_unclosed', out);
    const fed = feed(line.text);
    if (fed === 'open') {
      if (pending.length >= rowLines) giveUp('people_file.quote_unclosed', out);
    } else if (typeof fed === 'string') {
      giveUp(fed, out);
    } else {
      const record = { line: (pending[0] as { number: number }).number, cells: fed.cells };
      begin();
      out.push(record);
    }
  }
  return {
    push(line: TextLine): (CsvRecord | Problem)[] {
      const out: (CsvRecord | Problem)[] = [];
      take(line, out);
      return out;
    },
    end(): (CsvRecord | Problem)[] {
      const out: (CsvRecord | Problem)[] = [];
      while (pending.length > 0) giveUp('people_file.quote_unclosed', out);
      return out;
    },
  };
}
