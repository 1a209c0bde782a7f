export { type CsvField, PEOPLE_COLUMNS } from './csv/columns.ts';
export type { Column, Header } from './csv/header.ts';
export { type ReadTableOptions, readTable } from './csv/read-table.ts';
export type { TableRow } from './csv/table.ts';
export { PEOPLE_FILE_REASONS, type PeopleFileCode, PeopleFileError } from './errors.ts';
export { type ImportOptions, importPeople } from './import/import-people.ts';
export type { ImportCounts, ImportEvents, RowOutcome, SendRows } from './import/outcome.ts';
export { DEFAULT_LIMITS, type PeopleFileLimits } from './limits.ts';
export { type ByteSource, type ReadOptions, readLines, type TextLine } from './lines.ts';
export { filesBelow, isInnerPath, type PhotoFiles, type PhotoRead } from './photo.ts';
export { type PeopleFileFormat, type PeopleFileOptions, readPeopleFile } from './read-people-file.ts';
export {
  isProblem,
  type PeopleFileItem,
  type PeopleRow,
  type PersonItem,
  type Problem,
  type RowField,
  type Skipped,
} from './row.ts';
