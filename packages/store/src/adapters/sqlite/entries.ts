import type { DatabaseSync } from 'node:sqlite';
import type { Doc, Value } from '../../store.ts';
import { toColumn } from './codec.ts';
import type { Layout, Side, TokensTables } from './layout.ts';
import { type SqlValue, statement } from './statements.ts';

type Fields = Readonly<Record<string, Value | undefined>>;

/** Entries of a document in an index with an array field, each in the order of the side table's columns. */
function entriesOf(side: Side, doc: Doc, n: number): SqlValue[][] {
  const { index } = side;
  const fields = doc as unknown as Fields;
  const first = fields[index.fields[0] as string];
  if (index.sparse && (first === null || first === undefined)) return [];
  const held = fields[index.array as string];
  const elements = Array.isArray(held) ? (held as readonly Value[]) : [held];
  const distinct = elements.length > 1 ? new Set(elements) : elements;
  const entries: SqlValue[][] = [];
  for (const element of distinct) {
    const entry = index.key.map(f => toColumn(f === index.array ? element : fields[f]));
    entry.push(n);
    entries.push(entry);
  }
  return entries;
}

/** Writes what the indexes in tables of their own hold about `doc`. */
export function addEntries(db: DatabaseSync, layout: Layout, doc: Doc, n: number): void {
  for (const side of layout.sides) {
    const insert = statement(db, side.insert);
    for (const entry of entriesOf(side, doc, n)) insert.run(...entry);
  }
  for (const t of layout.tokens) addWords(db, t, doc, n);
}

/** Removes it. */
export function removeEntries(db: DatabaseSync, layout: Layout, doc: Doc, n: number): void {
  for (const side of layout.sides) {
    const remove = statement(db, side.remove);
    for (const entry of entriesOf(side, doc, n)) remove.run(...entry.slice(0, side.index.key.length));
  }
  for (const t of layout.tokens) removeWords(db, t, n);
}

/** Brings it from what `before` had to what `after` has, touching only what differs. */
export function changeEntries(db: DatabaseSync, layout: Layout, before: Doc, after: Doc, n: number): void {
  for (const side of layout.sides) {
    const was = new Map(entriesOf(side, before, n).map(e => [keyOf(e), e]));
    for (const entry of entriesOf(side, after, n)) {
      if (!was.delete(keyOf(entry))) statement(db, side.insert).run(...entry);
    }
    for (const entry of was.values()) statement(db, side.remove).run(...entry.slice(0, side.index.key.length));
  }
  for (const t of layout.tokens) {
    const names = [t.index.field, t.index.scope, t.index.newest];
    const [a, b] = [before, after].map(d => JSON.stringify(names.map(n => (d as unknown as Fields)[n] ?? null)));
    if (a === b) continue;
    removeWords(db, t, n);
    addWords(db, t, after, n);
  }
}

const keyOf = (entry: readonly SqlValue[]): string =>
  JSON.stringify(entry.map(v => (v instanceof Uint8Array ? v[0] === 1 : v === Number.NEGATIVE_INFINITY ? null : v)));

function addWords(db: DatabaseSync, t: TokensTables, doc: Doc, n: number): void {
  const fields = doc as unknown as Fields;
  const words = fields[t.index.field] as readonly string[] | null | undefined;
  if (!words || words.length === 0) return;
  const map = statement(db, `INSERT INTO ${t.map} (_n, scope, newest, _id) VALUES (?, ?, ?, ?)`);
  const scope = toColumn(fields[t.index.scope]);
  map.run(n, scope, toColumn(fields[t.index.newest]), doc._id);
  const text = `${scopeToken(scope)} ${words.map(wordToken).join(' ')}`;
  statement(db, `INSERT INTO ${t.words} (rowid, w) VALUES (?, ?)`).run(n, text);
}

function removeWords(db: DatabaseSync, t: TokensTables, n: number): void {
  if (statement(db, `DELETE FROM ${t.map} WHERE _n = ?`).run(n).changes !== 0)
    statement(db, `DELETE FROM ${t.words} WHERE rowid = ?`).run(n);
}

/** A word as one token, whatever it consists of: the tokenizer sees only letters and digits. */
export function wordToken(word: string): string {
  return /^[a-z0-9]{1,60}$/.test(word) ? `a${word}` : `x${Buffer.from(word).toString('hex')}`;
}

/** The scope as a token that no word can be. */
export function scopeToken(scope: SqlValue): string {
  return `s${Buffer.from(JSON.stringify(scope instanceof Uint8Array ? scope[0] === 1 : scope)).toString('hex')}`;
}
