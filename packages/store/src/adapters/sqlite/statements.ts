import type { DatabaseSync, StatementSync } from 'node:sqlite';

const caches = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** A prepared statement, made once per connection and text. Rows come as arrays. */
export function statement(db: DatabaseSync, sql: string): StatementSync {
  let cache = caches.get(db);
  if (!cache) caches.set(db, (cache = new Map()));
  let prepared = cache.get(sql);
  if (!prepared) {
    prepared = db.prepare(sql);
    prepared.setReturnArrays(true);
    cache.set(sql, prepared);
  }
  return prepared;
}

/** Rows of a statement whose rows come as arrays. */
export const rows = (prepared: StatementSync, ...values: SqlValue[]): SqlValue[][] =>
  prepared.all(...values) as unknown as SqlValue[][];

/** First row, if any. */
export const row = (prepared: StatementSync, ...values: SqlValue[]): SqlValue[] | undefined =>
  prepared.get(...values) as unknown as SqlValue[] | undefined;

/** What a column may hold. */
export type SqlValue = null | number | string | Uint8Array;

/** A name as SQL writes it. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
