import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import type { CheckedSpec, OrderedIndex, TokensIndex } from '../../spec.ts';
import { quote, rows, statement } from './statements.ts';

/**
 * Names and statements of one collection's tables. Documents stand in the order of their insertion under a number
 * `_n`, also where the declaration asks for clustering: that is measurably cheaper (README).
 */
export interface Layout {
  readonly spec: CheckedSpec;
  /** The main table, quoted. */
  readonly table: string;
  /** What stands in front of the names of indexes. */
  readonly prefix: string;
  /** Indexed fields that are columns, those included that an earlier version indexed. */
  readonly columns: readonly string[];
  readonly columnSet: ReadonlySet<string>;
  /** Indexes of the main table. */
  readonly plain: readonly OrderedIndex[];
  /** Indexes with an array field: tables of their own. */
  readonly sides: readonly Side[];
  readonly tokens: readonly TokensTables[];
  readonly insert: string;
  readonly get: string;
  /** `_id, _rev, _doc, _bin, columns…, _n` of table alias `m`. */
  readonly selection: string;
}

/** An index with an array field: a table (fields, _id, _n) in the order of its key. */
export interface Side {
  readonly index: OrderedIndex;
  readonly table: string;
  readonly insert: string;
  readonly remove: string;
}

/** A tokens index: a table of (_n, scope, newest, _id) and the words of each `_n`. */
export interface TokensTables {
  readonly index: TokensIndex;
  readonly map: string;
  readonly words: string;
}

/** Name of a collection's main table. */
export const tableName = (database: string, spec: CheckedSpec): string => `${database}.${spec.name}`;
/** Name of an index or of its table. */
export const indexName = (database: string, spec: CheckedSpec, index: string): string =>
  `${database}.${spec.name}.${index}`;
/** Columns that are not fields. */
export const OWN_COLUMNS = new Set(['_n', '_id', '_rev', '_doc', '_bin']);

/** Reads how the collection's tables look. Throws `store.not_migrated` when something is missing. */
export function readLayout(db: DatabaseSync, database: string, spec: CheckedSpec): Layout {
  const name = tableName(database, spec);
  const present = tableColumns(db, name);
  const missing = (what: string) => {
    throw new StoreError('store.not_migrated', `${what} of ${name} is missing: the store was not migrated`);
  };
  if (present.length === 0) missing('the table');
  const columns = present.filter(c => !OWN_COLUMNS.has(c));
  for (const field of spec.scalars) if (inMain(spec, field) && !columns.includes(field)) missing(`column ${field}`);
  const objects = new Set(rows(statement(db, 'SELECT name FROM sqlite_schema')).map(r => r[0] as string));
  for (const index of spec.indexes.values())
    if (!objects.has(indexName(database, spec, index.name))) missing(`index ${index.name}`);
  return layoutOf(database, spec, columns);
}

/** Field names of a table in their order; empty when there is no such table. */
export function tableColumns(db: DatabaseSync, table: string): string[] {
  return rows(statement(db, 'SELECT name FROM pragma_table_info(?)'), table).map(r => r[0] as string);
}

/** Whether a field is a column of the main table: those of arrays and searches are only in their own tables. */
export const inMain = (spec: CheckedSpec, field: string): boolean =>
  spec.ordered.some(i => i.array === undefined && i.fields.includes(field));

/** Statements for tables with these columns. */
export function layoutOf(database: string, spec: CheckedSpec, columns: readonly string[]): Layout {
  const table = quote(tableName(database, spec));
  const own = ['_id', '_rev', '_doc', '_bin', ...columns];
  const selection = [...own, '_n'].map(c => `m.${quote(c)}`).join(', ');
  return {
    spec,
    table,
    prefix: indexName(database, spec, ''),
    columns,
    columnSet: new Set(columns),
    plain: spec.ordered.filter(i => i.array === undefined),
    sides: spec.ordered.filter(i => i.array !== undefined).map(index => sideOf(database, spec, index)),
    tokens: spec.tokens.map(index => ({
      index,
      map: quote(indexName(database, spec, index.name)),
      words: quote(`${indexName(database, spec, index.name)}.words`),
    })),
    insert: `INSERT INTO ${table} (${own.map(quote).join(', ')}) VALUES (${own.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
    get: `SELECT ${selection} FROM ${table} m WHERE m._id = ?`,
    selection,
  };
}

function sideOf(database: string, spec: CheckedSpec, index: OrderedIndex): Side {
  const table = quote(indexName(database, spec, index.name));
  const names = sideColumns(index);
  return {
    index,
    table,
    insert: `INSERT INTO ${table} (${names.map(quote).join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
    remove: `DELETE FROM ${table} WHERE ${index.key.map(f => `${quote(f)} = ?`).join(' AND ')}`,
  };
}

/** Columns of a side table: the key, which ends in the id, and the number of the document's row. */
export const sideColumns = (index: OrderedIndex): readonly string[] => [...index.key, '_n'];
