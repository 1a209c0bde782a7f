import type { DatabaseSync } from 'node:sqlite';
import { cursorAfter, type OrderedPlan, type TokensPlan } from '../../query.ts';
import type { Doc, Page } from '../../store.ts';
import { decodeRow, toColumn } from './codec.ts';
import { scopeToken, wordToken } from './entries.ts';
import type { Layout } from './layout.ts';
import { SOMETHING } from './migrate.ts';
import { quote, row, rows, type SqlValue, statement } from './statements.ts';

/** Reads a page of an ordered index. */
export function scanOrdered<T extends Doc>(db: DatabaseSync, layout: Layout, plan: OrderedPlan): Page<T> {
  const { from, alias, where, values } = conditions(layout, plan);
  const order = plan.index.key.slice(plan.equals.length).map(f => `${alias}.${quote(f)}${plan.desc ? ' DESC' : ''}`);
  const sql = `SELECT ${layout.selection} FROM ${from}${where}${order.length > 0 ? ` ORDER BY ${order.join(', ')}` : ''} LIMIT ?`;
  return page(plan, rows(statement(db, sql), ...values, plan.limit + 1), layout);
}

/** Counts entries of an ordered index up to the plan's limit. */
export function countOrdered(db: DatabaseSync, layout: Layout, plan: OrderedPlan): number {
  const { alone, where, values } = conditions(layout, plan);
  const sql = `SELECT count(*) FROM (SELECT 1 FROM ${alone}${where} LIMIT ?)`;
  return row(statement(db, sql), ...values, plan.limit)?.[0] as number;
}

/** Reads a page of a search, newest first. */
export function scanTokens<T extends Doc>(db: DatabaseSync, layout: Layout, plan: TokensPlan): Page<T> {
  const tables = layout.tokens.find(t => t.index === plan.index);
  if (!tables) throw new Error(`no tables for ${plan.index.name}`);
  const scope = toColumn(plan.scope);
  const match = [scopeToken(scope), ...plan.words.map(wordToken)].map(t => `"${t}"`).join(' AND ');
  const values: SqlValue[] = [match, scope];
  if (plan.after) values.push(...plan.after.map(toColumn));
  const sql = `SELECT ${layout.selection} FROM (
      SELECT t._n AS n FROM ${tables.words} f CROSS JOIN ${tables.map} t ON t._n = f.rowid
      WHERE f.${tables.words} MATCH ? AND t.scope = ?${plan.after ? ' AND (t.newest, t._id) < (?, ?)' : ''}
      ORDER BY t.newest DESC, t._id DESC LIMIT ?) s CROSS JOIN ${layout.table} m ON m._n = s.n`;
  const found = rows(statement(db, sql), ...values, plan.limit + 1);
  return page(plan, found, layout);
}

function page<T extends Doc>(plan: OrderedPlan | TokensPlan, found: readonly SqlValue[][], layout: Layout): Page<T> {
  const more = found.length > plan.limit;
  const docs: T[] = [];
  for (let i = 0; i < (more ? plan.limit : found.length); i++)
    docs.push(decodeRow(found[i] as SqlValue[], layout.columns) as T);
  return { docs, next: more ? cursorAfter(plan, docs.at(-1) as T) : undefined };
}

interface Conditions {
  /** Tables to read documents from. */
  readonly from: string;
  /** Table to read entries from. */
  readonly alone: string;
  readonly alias: string;
  readonly where: string;
  readonly values: SqlValue[];
}

function conditions(layout: Layout, plan: OrderedPlan): Conditions {
  const { index } = plan;
  const side = index.array === undefined ? undefined : layout.sides.find(s => s.index === index);
  const alias = side ? 's' : 'm';
  const parts: string[] = [];
  const values: SqlValue[] = [];
  const add = (text: string, ...added: SqlValue[]) => {
    parts.push(text);
    values.push(...added);
  };
  plan.equals.forEach((value, i) => add(`${alias}.${quote(index.key[i] as string)} = ?`, toColumn(value)));
  if (index.sparse && !side) parts.push(`${alias}.${quote(index.fields[0] as string)} ${SOMETHING}`);
  addRange(plan, `${alias}.${quote(plan.rangeField ?? '')}`, add);
  if (plan.after && plan.after.length > 0) {
    const names = index.key.slice(plan.equals.length).map(f => `${alias}.${quote(f)}`);
    add(
      `(${names.join(', ')}) ${plan.desc ? '<' : '>'} (${names.map(() => '?').join(', ')})`,
      ...plan.after.map(toColumn),
    );
  }
  const alone = side ? `${side.table} s` : `${layout.table} m INDEXED BY ${quote(layout.prefix + index.name)}`;
  return {
    from: side ? `${alone} CROSS JOIN ${layout.table} m ON m._n = s._n` : alone,
    alone,
    alias,
    where: parts.length > 0 ? ` WHERE ${parts.join(' AND ')}` : '',
    values,
  };
}

/** A bound only sees values of its own type; the order of types is nothing, numbers, strings, booleans. */
function addRange(plan: OrderedPlan, field: string, add: (text: string, ...values: SqlValue[]) => void): void {
  const { lower, upper } = plan;
  if (!lower && !upper) return;
  const type = typeof (lower ?? upper)?.value;
  if (lower) add(`${field} ${lower.inclusive ? '>=' : '>'} ?`, toColumn(lower.value));
  else add(type === 'number' ? `${field} ${SOMETHING}` : type === 'string' ? `${field} >= ''` : `${field} >= x''`);
  if (upper) add(`${field} ${upper.inclusive ? '<=' : '<'} ?`, toColumn(upper.value));
  else if (type === 'number') add(`${field} < ''`);
  else if (type === 'string') add(`${field} < x''`);
}
