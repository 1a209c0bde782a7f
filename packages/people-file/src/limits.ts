/** What a file may be at most. */
export interface PeopleFileLimits {
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** Rows or entries. */
  readonly rows: number;
  /** Columns of a table. */
  readonly columns: number;
  /** Bytes of a line as it stands in the file. */
  readonly lineBytes: number;
  /** Characters of a row of a table. */
  readonly rowCharacters: number;
  /** Lines of a row of a table: values in quotation marks may go on. */
  readonly rowLines: number;
  /** Characters of an attribute's value in LDIF, base64 and folded lines included. */
  readonly valueCharacters: number;
  /** Values of an attribute, groups, or other addresses. */
  readonly values: number;
  /** Bytes of a picture. */
  readonly photoBytes: number;
}

/** 4 GiB, a million rows, pictures of 64 KiB. */
export const DEFAULT_LIMITS: PeopleFileLimits = {
  fileBytes: 4 * 1024 ** 3,
  rows: 1_000_000,
  columns: 256,
  lineBytes: 262_144,
  rowCharacters: 65_536,
  rowLines: 32,
  valueCharacters: 262_144,
  values: 1_000,
  photoBytes: 65_536,
};
