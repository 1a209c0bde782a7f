import type { DatabaseSync } from 'node:sqlite';
import { type BulkReader, PORTION_BYTES, PORTION_DOCUMENTS } from '../../bulk-read.ts';
import { checkSpec } from '../../spec.ts';
import type { CollectionSpec, Doc } from '../../store.ts';
import { decodeRow } from './codec.ts';
import { layoutOf, OWN_COLUMNS, tableColumns, tableName } from './layout.ts';
import { openSqliteSnapshot, type SqliteSnapshotOptions } from './snapshot.ts';
import { quote, row, type SqlValue, statement } from './statements.ts';

/** Where to read. */
export interface SqliteBulkReaderOptions extends SqliteSnapshotOptions {
  /** One service's database, as in `createSqliteStore`. */
  readonly database: string;
}

/** Opens a snapshot of the file and reads one service's collections from it. */
export function openSqliteBulkReader({ database, ...options }: SqliteBulkReaderOptions): BulkReader {
  const snapshot = openSqliteSnapshot(options);
  return { ...sqliteBulkReader(snapshot.reader.db, database), close: async () => snapshot.close() };
}

/** Reads with a connection that is closed by others. */
export function sqliteBulkReader(db: DatabaseSync, database: string): BulkReader {
  return {
    async *read<T extends Doc>(spec: CollectionSpec<T>) {
      const checked = checkSpec(spec);
      const present = tableColumns(db, tableName(database, checked));
      if (present.length === 0) return;
      const layout = layoutOf(
        database,
        checked,
        present.filter(c => !OWN_COLUMNS.has(c)),
      );
      // In the order of insertion, which is the order on disk.
      const all = db.prepare(`SELECT ${layout.selection} FROM ${layout.table} m ORDER BY m._n`);
      all.setReturnArrays(true);
      let portion: T[] = [];
      let bytes = 0;
      for (const found of all.iterate() as Iterable<unknown>) {
        const values = found as SqlValue[];
        portion.push(decodeRow(values, layout.columns) as T);
        bytes += sizeOf(values[2]) + sizeOf(values[3]);
        if (portion.length < PORTION_DOCUMENTS && bytes < PORTION_BYTES) continue;
        yield portion;
        portion = [];
        bytes = 0;
      }
      if (portion.length > 0) yield portion;
    },
    async count(spec, cap) {
      const name = tableName(database, checkSpec(spec));
      if (tableColumns(db, name).length === 0) return 0;
      const sql =
        cap === undefined
          ? `SELECT count(*) FROM ${quote(name)}`
          : `SELECT count(*) FROM (SELECT 1 FROM ${quote(name)} LIMIT ${Math.max(0, Math.floor(cap))})`;
      return row(statement(db, sql))?.[0] as number;
    },
    close: async () => undefined,
  };
}

const sizeOf = (value: SqlValue | undefined): number =>
  typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 0;
