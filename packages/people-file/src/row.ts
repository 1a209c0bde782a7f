import { type PeopleFileCode, type ReasonParams, reasonOf } from './errors.ts';

/**
 * Somebody as a file describes him; the shape of `ImportRow` (parley.directory.v1). What is undefined is not said and
 * stays as it is; what is empty is emptied.
 */
export interface PeopleRow {
  /** Key by which the other system knows him; empty when the file has none. */
  readonly externalId: string;
  /** Primary address. */
  readonly address: string;
  readonly otherAddresses: readonly string[];
  readonly displayName?: string;
  readonly department?: string;
  readonly title?: string;
  readonly language?: string;
  readonly site?: string;
  /** Address, id or external id. */
  readonly manager?: string;
  /** All groups he is in, by name. */
  readonly groups?: readonly string[];
  /** Bytes of a PNG, JPEG or WebP picture; empty takes it away. */
  readonly photo?: Uint8Array;
  readonly initialPassword?: string;
  readonly enabled?: boolean;
}

/** Fields of a row by their names in the contract, as refusals name them. */
export type RowField =
  | 'external_id'
  | 'address'
  | 'other_addresses'
  | 'display_name'
  | 'department'
  | 'title'
  | 'language'
  | 'site'
  | 'manager'
  | 'groups'
  | 'photo'
  | 'initial_password'
  | 'enabled';

/** A row that was read. */
export interface PersonItem {
  /** Line on which it begins, from 1. */
  readonly line: number;
  readonly row: PeopleRow;
  /** His name in the directory the file comes from, in one spelling; for managers that are named so. */
  readonly dn?: string;
  /** His manager, named so. */
  readonly managerDn?: string;
}

/** A row that is refused. */
export interface Problem {
  readonly line: number;
  /** A `RowField` or the name of a column or attribute; `row` when it is the whole row. */
  readonly field: string;
  /** Stable code: of this package, or of the server that refused. */
  readonly code: string;
  /** The same in English. */
  readonly reason: string;
}

/** An entry that is about no person: left out, no fault. */
export interface Skipped {
  readonly line: number;
  readonly skipped: string;
}

/** What a file consists of. */
export type PeopleFileItem = PersonItem | Problem | Skipped;

/** Makes a problem of this package. */
export const problem = (line: number, field: string, code: PeopleFileCode, params: ReasonParams = {}): Problem => ({
  line,
  field,
  code,
  reason: reasonOf(code, params),
});

/** Whether an item is a refusal. */
export const isProblem = (item: object): item is Problem => 'code' in item;
