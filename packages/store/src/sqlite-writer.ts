import type { DatabaseSync } from 'node:sqlite';

/**
 * The one writer of a SQLite file, shared by store and event log in the standalone edition. Writes that meet while a
 * commit is under way share the next one (group commit, WAL), so that one fdatasync makes many of them
 * durable.
 */
export interface SqliteWriter {
  /**
   * Runs `op` synchronously inside the next group commit and resolves with its result once that commit is durable.
   * An `op` that throws is undone alone (savepoint) and its promise rejects; the others of the group go on. Ops run in
   * the order of the calls.
   *
   * `atomic` saves the savepoint: such an `op` refuses only by throwing a `StoreError` before its first change. Anything
   * else it throws fails the whole group with `not-applied`.
   */
  write<T>(op: (db: DatabaseSync) => T, options?: { readonly atomic?: boolean }): Promise<T>;
  /** Connection for reads on the main thread: sees everything committed. Only for short reads. */
  readonly db: DatabaseSync;
  /**
   * Undefined when everything that reads can see is durable, else a promise that resolves when what they see now is.
   * Rejects after a failed sync, until the restart: what reads see then may be gone after a power cut, and must not be
   * acknowledged because it was found.
   */
  durable(): Promise<void> | undefined;
  /**
   * What to throw when a read on {@link db} threw `cause`: names file and remedy. A damaged file is trusted no more:
   * everything is refused until the restart.
   */
  readFailed(cause: unknown): unknown;
  /**
   * The machine's time, milliseconds since 1970-01-01 UTC; goes on, more slowly, when its clock is set back. What only
   * reads has none.
   */
  now?(): number;
  /** False after a failed commit (disk full, I/O error) until one succeeds again. */
  readonly healthy: boolean;
  close(): Promise<void>;
}
