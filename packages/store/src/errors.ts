import type { StoreFailure } from './store.ts';

/**
 * Why a call failed.
 *
 * - `store.unavailable`: the database does not answer, or could not write (disk full, I/O error)
 * - `store.timeout`: no answer in time
 * - `store.overloaded`: too much is waiting already
 * - `store.closed`: after `close`
 * - `store.locked`: another process uses the data directory
 * - `store.not_migrated`: a collection or an index is missing; run the migration
 * - `store.too_large`: a document above the cap
 * - `store.bad_id`, `store.bad_document`, `store.bad_spec`, `store.bad_query`: refused before anything was done
 * - `store.unknown_index`: the collection does not declare it
 * - `store.bad_cursor`: `after` is not the `next` of the same index, equals, words and order
 */
export type StoreErrorCode =
  | 'store.unavailable'
  | 'store.timeout'
  | 'store.overloaded'
  | 'store.closed'
  | 'store.locked'
  | 'store.not_migrated'
  | 'store.too_large'
  | 'store.bad_id'
  | 'store.bad_document'
  | 'store.bad_spec'
  | 'store.bad_query'
  | 'store.unknown_index'
  | 'store.bad_cursor';

/** Thrown by every adapter. The message names what is wrong and never carries a document's content. */
export class StoreError extends Error implements StoreFailure {
  override readonly name = 'StoreError';
  /** Stable code. */
  readonly code: StoreErrorCode;
  /** `not-applied`: nothing changed. `unknown`: a write may or may not have happened. */
  readonly outcome: 'not-applied' | 'unknown';

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly outcome?: 'not-applied' | 'unknown'; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options.outcome ?? 'not-applied';
  }
}

/** A refusal before anything was done. */
export const refuse = (code: StoreErrorCode, message: string): never => {
  throw new StoreError(code, message);
};
