import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import type { CheckedSpec, OrderedIndex, TokensIndex } from '../../spec.ts';
import type { Doc } from '../../store.ts';
import { checkDocument } from '../../validate.ts';
import { decodeRow, encodeRest, toColumn } from './codec.ts';
import { addEntries } from './entries.ts';
import {
  indexName,
  inMain,
  type Layout,
  layoutOf,
  OWN_COLUMNS,
  sideColumns,
  tableColumns,
  tableName,
} from './layout.ts';
import { quote, row, rows, type SqlValue, statement } from './statements.ts';

/** What an index condition calls "not null": above {@link NOTHING}. */
export const SOMETHING = '> -9e999';
const COLUMN = 'NOT NULL DEFAULT -9e999';

/** Creates what is missing of a collection's tables and fills new columns and indexes from the documents there. */
export function migrateCollection(db: DatabaseSync, database: string, spec: CheckedSpec): void {
  const name = tableName(database, spec);
  const wanted = [...spec.scalars].filter(f => inMain(spec, f));
  const present = tableColumns(db, name).filter(c => !OWN_COLUMNS.has(c));
  const isNew = tableColumns(db, name).length === 0;
  if (isNew) createTable(db, name, wanted);
  const added = isNew ? [] : wanted.filter(f => !present.includes(f));
  for (const field of added) db.exec(`ALTER TABLE ${quote(name)} ADD COLUMN ${quote(field)} ${COLUMN}`);
  const layout = layoutOf(
    database,
    spec,
    tableColumns(db, name).filter(c => !OWN_COLUMNS.has(c)),
  );
  if (added.length > 0) fillColumns(db, layout);
  for (const index of layout.plain) createIndex(db, database, spec, index);
  const newSides = layout.sides.filter(side => createSide(db, indexName(database, spec, side.index.name), side.index));
  const newTokens = layout.tokens.filter(t => createTokens(db, indexName(database, spec, t.index.name), t.index));
  if (newSides.length + newTokens.length > 0)
    forEachDocument(db, layout, (doc, n) => addEntries(db, { ...layout, sides: newSides, tokens: newTokens }, doc, n));
}

function createTable(db: DatabaseSync, name: string, fields: readonly string[]): void {
  const columns = fields.map(f => `${quote(f)} ${COLUMN}`);
  // The document, the longest part, stands behind what is compared.
  const all = ['_n INTEGER PRIMARY KEY', '_id TEXT NOT NULL UNIQUE', '_rev INTEGER NOT NULL', ...columns];
  db.exec(`CREATE TABLE ${quote(name)} (${[...all, '_doc TEXT', '_bin BLOB'].join(', ')})`);
}

function createIndex(db: DatabaseSync, database: string, spec: CheckedSpec, index: OrderedIndex): void {
  const name = indexName(database, spec, index.name);
  const where = index.sparse ? ` WHERE ${quote(index.fields[0] as string)} ${SOMETHING}` : '';
  const fields = index.key.map(quote).join(', ');
  const on = `${quote(name)} ON ${quote(tableName(database, spec))} (${fields})${where}`;
  create(db, name, `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${on}`);
}

function createSide(db: DatabaseSync, name: string, index: OrderedIndex): boolean {
  const columns = sideColumns(index).map(f => `${quote(f)} NOT NULL`);
  const key = `PRIMARY KEY (${index.key.map(quote).join(', ')})`;
  const sparse = index.sparse ? ' /* sparse */' : '';
  return create(db, name, `CREATE TABLE ${quote(name)} (${columns.join(', ')}, ${key}${sparse}) WITHOUT ROWID`);
}

function createTokens(db: DatabaseSync, name: string, index: TokensIndex): boolean {
  const fields = `scope NOT NULL /* ${index.scope} */, newest NOT NULL /* ${index.newest} */, _id TEXT NOT NULL UNIQUE`;
  const made = create(db, name, `CREATE TABLE ${quote(name)} (_n INTEGER PRIMARY KEY /* ${index.field} */, ${fields})`);
  if (made)
    db.exec(
      `CREATE VIRTUAL TABLE ${quote(`${name}.words`)}
       USING fts5(w, content='', contentless_delete=1, detail=none, tokenize='ascii')`,
    );
  return made;
}

/** Creates an index or its table unless it is there. An index of the same name that is another one would answer wrongly. */
function create(db: DatabaseSync, name: string, sql: string): boolean {
  const there = row(statement(db, 'SELECT sql FROM sqlite_schema WHERE name = ?'), name)?.[0];
  if (there === undefined) {
    db.exec(sql);
    return true;
  }
  if (there !== sql)
    throw new StoreError('store.bad_spec', `index ${name} was declared otherwise before; give it a new name`);
  return false;
}

/** Calls `fn` for every document, in the order of ids, a few hundred at a time. */
function forEachDocument(db: DatabaseSync, layout: Layout, fn: (doc: Doc, n: number) => void): void {
  const page = statement(
    db,
    `SELECT ${layout.selection} FROM ${layout.table} m WHERE m._id > ? ORDER BY m._id LIMIT 200`,
  );
  for (let last: SqlValue = ''; ; ) {
    const found: SqlValue[][] = rows(page, last);
    for (const r of found) fn(decodeRow(r, layout.columns), r.at(-1) as number);
    if (found.length < 200) return;
    last = found.at(-1)?.[0] as string;
  }
}

function fillColumns(db: DatabaseSync, layout: Layout): void {
  const set = ['_doc', '_bin', ...layout.columns].map(c => `${quote(c)} = ?`).join(', ');
  const update = statement(db, `UPDATE ${layout.table} SET ${set} WHERE _id = ?`);
  forEachDocument(db, layout, doc => {
    const rest = encodeRest(doc, layout.columnSet, checkDocument(layout.spec, doc).nestedBytes);
    const values = layout.columns.map(c => toColumn((doc as unknown as Record<string, never>)[c]));
    update.run(rest.json, rest.bytes, ...values, doc._id);
  });
}
