/** Why a file as a whole, or one row of it, is not read. Codes are stable; `{name}` is filled in. */
const REASONS = {
  // the whole file
  'people_file.format_unknown': 'neither CSV nor LDIF',
  'people_file.encoding_unknown': 'there is no encoding called {encoding}',
  'people_file.encoding_contradicts': 'the file begins with the mark of {mark}, but {encoding} was asked for',
  'people_file.encoding_unmarked': 'looks like UTF-16 without a mark at its beginning; name it: {encoding}',
  'people_file.empty': 'nothing is in the file',
  'people_file.file_too_large': 'larger than {limit} bytes',
  'people_file.too_many_rows': 'more than {limit} rows',
  'people_file.too_many_columns': 'more than {limit} columns',
  'people_file.header_invalid': 'the header row cannot be read: {reason}',
  'people_file.column_missing': 'no column is called {columns}',
  'people_file.column_twice': 'two columns are called {column}',
  'people_file.unreadable': 'the file cannot be read: {reason}',
  // a row
  'people_file.encoding_invalid': 'not {encoding}: name the encoding of the file, or repair this line',
  'people_file.character_lost': 'holds U+FFFD, which stands where a character was lost before',
  'people_file.line_too_long': 'longer than {limit} bytes',
  'people_file.row_too_long': 'longer than {limit} characters',
  'people_file.quote_unclosed': 'a quotation mark opens a value and none closes it',
  'people_file.quote_misplaced':
    'a quotation mark within a value; such a value stands in quotation marks, doubled inside',
  'people_file.cell_count': 'has {cells} cells where the header has {columns}',
  'people_file.control_character': 'holds a control character',
  'people_file.value_missing': 'a value is needed',
  'people_file.value_invalid': 'is not {expected}',
  'people_file.too_many_values': 'more than {limit} values',
  'people_file.photo_path': 'not a path to a file beside or below this one',
  'people_file.photo_missing': 'there is no such file',
  'people_file.photo_too_large': 'larger than {limit} bytes',
  'people_file.photo_type': 'neither PNG, JPEG nor WebP',
  'people_file.ldif_syntax': 'not LDIF (RFC 2849): {reason}',
  'people_file.ldif_base64': 'not base64',
  'people_file.ldif_change': '{change} entries are not imported; only entries to add',
  'people_file.ldif_control': 'needs a control of the directory it comes from',
  'people_file.ldif_url': 'only pictures may be named by URL, as file:path below the directory of this file',
  'people_file.manager_not_in_file': 'no entry of this file has the name {dn}',
  'people_file.duplicate': 'line {line} is about the same person',
} as const;

/** A stable code of this package. */
export type PeopleFileCode = keyof typeof REASONS;

/** Every code with its text, for references. */
export const PEOPLE_FILE_REASONS: Readonly<Record<PeopleFileCode, string>> = REASONS;

/** Values for the places in a text. */
export type ReasonParams = Readonly<Record<string, string | number>>;

/** The text of a code. */
export function reasonOf(code: PeopleFileCode, params: ReasonParams = {}): string {
  return REASONS[code].replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''));
}

/** The file as a whole cannot be read, from this line on or at all. The only error that this package throws. */
export class PeopleFileError extends Error {
  override readonly name = 'PeopleFileError';
  /** Stable; see `PEOPLE_FILE_REASONS`. */
  readonly code: PeopleFileCode;
  /** Line that is to blame, from 1; 0 when it is none. */
  readonly line: number;

  constructor(code: PeopleFileCode, params: ReasonParams = {}, line = 0, cause?: unknown) {
    super(`${line > 0 ? `line ${line}: ` : ''}${reasonOf(code, params)}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.line = line;
  }
}
