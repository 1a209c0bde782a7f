import type { PeopleRow, PersonItem, Problem } from '../row.ts';

/** What the directory did with a row; the shape of `ImportOutcome` (parley.directory.v1). */
export interface RowOutcome {
  readonly action: 'created' | 'updated' | 'unchanged' | 'refused';
  /** Empty when refused or not yet made. */
  readonly personId: string;
  /** Fields that changed. */
  readonly changed: readonly string[];
  /** Stable code of a refusal, its field and its text; empty otherwise. */
  readonly code: string;
  readonly field: string;
  readonly message: string;
}

/** Sends rows to the directory; answers with an outcome for each, in their order. */
export type SendRows = (rows: readonly PeopleRow[]) => Promise<readonly RowOutcome[]>;

/** What became of a file. Every row is one of created, updated, unchanged and refused. */
export interface ImportCounts {
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
  /** Managers that could not be set; their people were imported all the same. */
  managersRefused: number;
  /** Entries about no person. */
  skipped: number;
}

/** What an import tells while it goes on; all in the order of the file, managers after everything else. */
export interface ImportEvents {
  onRow?(item: PersonItem, outcome: RowOutcome): void;
  /** A row, or the manager of one, was refused. */
  onProblem?(problem: Problem): void;
  onProgress?(counts: Readonly<ImportCounts>): void;
}

/** A refusal by the directory as one of a line. */
export const refusalOf = (line: number, outcome: RowOutcome, field = 'row'): Problem => ({
  line,
  field: outcome.field || field,
  code: outcome.code || 'unknown',
  reason: outcome.message || 'refused',
});
