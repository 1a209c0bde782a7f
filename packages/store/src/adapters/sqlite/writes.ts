import type { DatabaseSync } from 'node:sqlite';
import type { Doc, InsertResult, ReplaceResult, Value } from '../../store.ts';
import { decodeRow, type EncodedRest, encodeRest, toColumn } from './codec.ts';
import { addEntries, changeEntries, removeEntries } from './entries.ts';
import type { Layout } from './layout.ts';
import { SOMETHING } from './migrate.ts';
import { quote, row, type SqlValue, statement } from './statements.ts';

type Fields = Readonly<Record<string, Value | undefined>>;
type Duplicate = { readonly index: string; readonly existingId: string };

/**
 * A document ready to be written. Everything that can be refused was refused when this was made: the functions below
 * decide before they change anything, so that they need no savepoint.
 */
export interface Prepared {
  readonly layout: Layout;
  readonly doc: Doc;
  readonly nestedBytes: boolean;
  readonly rest: EncodedRest;
  readonly columns: readonly SqlValue[];
}

/** Encodes a checked document. */
export function prepare(layout: Layout, doc: Doc, nestedBytes: boolean): Prepared {
  const fields = doc as unknown as Fields;
  const columns: SqlValue[] = [];
  for (const name of layout.columns) columns.push(toColumn(fields[name]));
  return { layout, doc, nestedBytes, rest: encodeRest(doc, layout.columnSet, nestedBytes), columns };
}

/** The same for another layout: a migration came in between. */
const against = (layout: Layout, p: Prepared): Prepared =>
  p.layout === layout ? p : prepare(layout, p.doc, p.nestedBytes);

const INSERTED: InsertResult = { inserted: true };

/** Inserts, or names the document in the way. */
export function insertPrepared(db: DatabaseSync, layout: Layout, given: Prepared): InsertResult {
  const p = against(layout, given);
  const { changes, lastInsertRowid } = statement(db, layout.insert).run(
    p.doc._id,
    1,
    p.rest.json,
    p.rest.bytes,
    ...p.columns,
  );
  if (changes === 0) return { inserted: false, ...mustFind(findDuplicate(db, layout, p), layout) };
  if (layout.sides.length + layout.tokens.length > 0) addEntries(db, layout, p.doc, lastInsertRowid as number);
  return INSERTED;
}

/** Replaces when the stored document has the expected revision. */
export function replacePrepared(db: DatabaseSync, layout: Layout, given: Prepared, expected: number): ReplaceResult {
  const p = against(layout, given);
  const found = row(statement(db, layout.get), p.doc._id);
  if (!found) return { replaced: false, reason: 'missing' };
  if (found[1] !== expected) return { replaced: false, reason: 'revision' };
  const names = ['_rev', '_doc', '_bin'];
  const values: SqlValue[] = [expected + 1, p.rest.json, p.rest.bytes];
  for (let i = 0; i < layout.columns.length; i++) {
    if (sameColumn(found[i + 4], p.columns[i])) continue;
    names.push(layout.columns[i] as string);
    values.push(p.columns[i] as SqlValue);
  }
  const sql = `UPDATE OR IGNORE ${layout.table} SET ${names.map(n => `${quote(n)} = ?`).join(', ')} WHERE _id = ?`;
  const { changes } = statement(db, sql).run(...values, p.doc._id);
  if (changes === 0) return { replaced: false, reason: 'duplicate', ...mustFind(findOther(db, layout, p), layout) };
  if (layout.sides.length + layout.tokens.length > 0)
    changeEntries(db, layout, decodeRow(found, layout.columns), p.doc, found.at(-1) as number);
  return { replaced: true, revision: expected + 1 };
}

/** Deletes the document when it is there (and has the revision). */
export function deleteOne(db: DatabaseSync, layout: Layout, id: string, expected: number | undefined): boolean {
  if (layout.sides.length + layout.tokens.length === 0) {
    const condition = expected === undefined ? '' : ' AND _rev = ?';
    const sql = statement(db, `DELETE FROM ${layout.table} WHERE _id = ?${condition}`);
    return (expected === undefined ? sql.run(id) : sql.run(id, expected)).changes !== 0;
  }
  const found = row(statement(db, layout.get), id);
  if (!found || (expected !== undefined && found[1] !== expected)) return false;
  statement(db, `DELETE FROM ${layout.table} WHERE _id = ?`).run(id);
  removeEntries(db, layout, decodeRow(found, layout.columns), found.at(-1) as number);
  return true;
}

function sameColumn(a: SqlValue | undefined, b: SqlValue | undefined): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? a[0] === b[0] : a === b;
}

/** The document in the way: by `_id` first, then by the unique indexes in the order of their declaration. */
function findDuplicate(db: DatabaseSync, layout: Layout, p: Prepared): Duplicate | undefined {
  if (row(statement(db, `SELECT 1 FROM ${layout.table} WHERE _id = ?`), p.doc._id) !== undefined)
    return { index: '_id', existingId: p.doc._id };
  return findOther(db, layout, p);
}

function findOther(db: DatabaseSync, layout: Layout, p: Prepared): Duplicate | undefined {
  const fields = p.doc as unknown as Fields;
  for (const index of layout.plain) {
    if (!index.unique) continue;
    const values = index.fields.map(f => toColumn(f === '_id' ? p.doc._id : fields[f]));
    const where = index.fields.map(f => `${quote(f)} = ?`);
    if (index.sparse) where.push(`${quote(index.fields[0] as string)} ${SOMETHING}`);
    const sql = `SELECT _id FROM ${layout.table} WHERE ${where.join(' AND ')} AND _id <> ?`;
    const existingId = row(statement(db, sql), ...values, p.doc._id)?.[0];
    if (existingId !== undefined) return { index: index.name, existingId: existingId as string };
  }
  return undefined;
}

function mustFind(found: Duplicate | undefined, layout: Layout): Duplicate {
  if (!found) throw new Error(`${layout.table}: a write was ignored without a duplicate`);
  return found;
}
