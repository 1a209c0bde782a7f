import type { PeopleFileCode } from '../errors.ts';

/** What became of a line fed to a record: it is whole, goes on, or is malformed. */
export type Fed = { readonly cells: readonly string[] } | 'open' | PeopleFileCode;

/** Reads one record (RFC 4180), line by line while a value in quotation marks is open. */
export function createRecord(delimiter: string): (line: string) => Fed {
  const cells: string[] = [];
  let open = false;
  let value = '';

  return line => {
    let at = 0;
    if (open) value += '\n';
    for (;;) {
      if (open) {
        const quote = line.indexOf('"', at);
        if (quote === -1) {
          value += line.slice(at);
          return 'open';
        }
        value += line.slice(at, quote);
        at = quote + 1;
        if (line[at] === '"') {
          value += '"';
          at++;
          continue;
        }
        open = false;
        cells.push(value);
        if (at === line.length) return { cells };
        if (line[at] !== delimiter) return 'people_file.quote_misplaced';
        at++;
      } else if (line[at] === '"') {
        open = true;
        value = '';
        at++;
      } else {
        const end = line.indexOf(delimiter, at);
        const cell = end === -1 ? line.slice(at) : line.slice(at, end);
        if (cell.includes('"')) return 'people_file.quote_misplaced';
        cells.push(cell);
        if (end === -1) return { cells };
        at = end + 1;
      }
    }
  };
}
