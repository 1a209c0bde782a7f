import { type CsvField, PEOPLE_COLUMNS } from './csv/columns.ts';
import type { Header } from './csv/header.ts';
import { type Draft, personOfRow } from './csv/people.ts';
import { createTable } from './csv/table.ts';
import { PeopleFileError } from './errors.ts';
import { createLdifEntries } from './ldif/entries.ts';
import { isWanted, personOfEntry } from './ldif/people.ts';
import { DEFAULT_LIMITS, type PeopleFileLimits } from './limits.ts';
import { type ByteSource, readLines, type TextLine } from './lines.ts';
import { isInnerPath, type PhotoFiles, photoType } from './photo.ts';
import {
  isProblem,
  type PeopleFileItem,
  type PersonItem,
  type Problem,
  problem,
  type RowField,
  type Skipped,
} from './row.ts';

/** Forms of a file of people. */
export type PeopleFileFormat = 'csv' | 'ldif';

/** How to read a file of people. */
export interface PeopleFileOptions {
  /** Default: what its first line looks like. */
  readonly format?: PeopleFileFormat;
  /** Label of the encoding, for example `big5`; default: the mark at the beginning of the file, else UTF-8. */
  readonly encoding?: string;
  /** Where pictures are that the file names; without it, rows that name one are refused. */
  readonly photos?: PhotoFiles;
  /** What is not looked at, as if the file said nothing of it. */
  readonly ignore?: readonly Exclude<RowField, 'address'>[];
  readonly limits?: Partial<PeopleFileLimits>;
  /** Told once the header row of a table is understood. */
  readonly onHeader?: (header: Header<CsvField>) => void;
}

interface Parser {
  push(line: TextLine): readonly (Draft | Problem | Skipped)[];
  end(): readonly (Draft | Problem | Skipped)[];
}

/**
 * Reads people from CSV (RFC 4180) or LDIF (RFC 2849), in the order of the file, keeping no more than one row. Rows
 * that cannot be read are problems among the others; a file that cannot be read at all throws `PeopleFileError`,
 * nothing else is thrown.
 *
 * @example
 * for await (const item of readPeopleFile(createReadStream('people.csv'), { photos: filesBelow('.') }))
 *   if ('row' in item) console.log(item.line, item.row.address);
 */
export async function* readPeopleFile(
  source: ByteSource,
  options: PeopleFileOptions = {},
): AsyncGenerator<PeopleFileItem> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let parser: Parser | undefined;
  const before: TextLine[] = [];

  function begin(line: TextLine | undefined): Parser {
    const format = options.format ?? formatOf(line);
    return format === 'csv' ? csvParser(limits, options) : ldifParser(limits, options);
  }
  const encoding = options.encoding === undefined ? {} : { encoding: options.encoding };
  for await (const lines of readLines(source, { ...encoding, limits })) {
    for (const line of lines) {
      if (!parser) {
        if (options.format === undefined && !telling(line)) {
          before.push(line);
          if (before.length > MOST_COMMENTS) throw new PeopleFileError('people_file.format_unknown');
          continue;
        }
        parser = begin(line);
        for (const earlier of before)
          for (const item of parser.push(earlier)) yield await finished(item, options, limits);
      }
      for (const item of parser.push(line)) yield await finished(item, options, limits);
    }
  }
  if (!parser) throw new PeopleFileError('people_file.empty');
  for (const item of parser.end()) yield await finished(item, options, limits);
}

/** Lines of comment that may stand before the first line that tells the format. */
const MOST_COMMENTS = 1_000;

const telling = (line: TextLine) => isProblem(line) || (line.text.trim() !== '' && !line.text.startsWith('#'));

function formatOf(line: TextLine | undefined): PeopleFileFormat {
  return line && !isProblem(line) && /^(version|dn):/i.test(line.text) ? 'ldif' : 'csv';
}

function csvParser(limits: PeopleFileLimits, { ignore = [], onHeader }: PeopleFileOptions): Parser {
  const left = new Set<string>(ignore.flatMap(field => [field, ...(PARTS[field] ?? [])]));
  const columns = PEOPLE_COLUMNS.filter(column => !left.has(column.field));
  const table = createTable({ columns, needed: ['address', 'other_addresses'], limits, onHeader });
  const people = (rows: ReturnType<typeof table.push>) =>
    rows.map(row => (isProblem(row) ? row : personOfRow(row, limits)));
  return { push: line => people(table.push(line)), end: () => people(table.end()) };
}

/** Columns that say the same as others. */
const PARTS: Readonly<Record<string, readonly CsvField[]>> = {
  display_name: ['given_name', 'surname'],
  enabled: ['disabled'],
};

function ldifParser(limits: PeopleFileLimits, { ignore = [] }: PeopleFileOptions): Parser {
  const left = new Set<string>(ignore);
  const entries = createLdifEntries(attribute => isWanted(attribute, left), limits);
  let seen = 0;
  const people = (found: ReturnType<typeof entries.push>) =>
    found.map(entry => {
      if (++seen > limits.rows)
        throw new PeopleFileError('people_file.too_many_rows', { limit: limits.rows }, entry.line);
      return isProblem(entry) ? entry : personOfEntry(entry, limits);
    });
  return {
    push: line => people(entries.push(line)),
    end() {
      const last = people(entries.end());
      if (seen === 0) throw new PeopleFileError('people_file.empty');
      return last;
    },
  };
}

/** Fetches the picture that a row names, and looks at any. */
async function finished(
  item: Draft | Problem | Skipped,
  { photos }: PeopleFileOptions,
  limits: PeopleFileLimits,
): Promise<PeopleFileItem> {
  if (!('row' in item)) return item;
  const { photoPath, ...person } = item;
  let photo = person.row.photo;
  if (photoPath !== undefined) {
    if (!photos || !isInnerPath(photoPath)) return problem(item.line, 'photo', 'people_file.photo_path');
    const read = await photos.read(photoPath, limits.photoBytes);
    if (typeof read === 'string') return problem(item.line, 'photo', read, { limit: limits.photoBytes });
    photo = read;
    if (photo.length === 0) return problem(item.line, 'photo', 'people_file.photo_type');
  }
  if (photo && photo.length > limits.photoBytes)
    return problem(item.line, 'photo', 'people_file.photo_too_large', { limit: limits.photoBytes });
  if (photo && photo.length > 0 && photoType(photo) === undefined)
    return problem(item.line, 'photo', 'people_file.photo_type');
  return { ...person, row: { ...person.row, ...(photo && { photo }) } } satisfies PersonItem;
}
