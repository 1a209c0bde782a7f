import { refuse } from './errors.ts';
import type { CheckedSpec, OrderedIndex, TokensIndex } from './spec.ts';
import type { Doc, ScanQuery, Value } from './store.ts';
import { isIndexable, storeLimits } from './validate.ts';

/** A value that can stand in an index. */
export type Scalar = string | number | boolean | null;

/** One end of a range. */
export interface Bound {
  readonly value: Exclude<Scalar, null>;
  readonly inclusive: boolean;
}

/** A checked read of an ordered index. */
export interface OrderedPlan {
  readonly index: OrderedIndex;
  /** Values of the leading fields of `index.key`. */
  readonly equals: readonly Scalar[];
  /** The field after those; undefined when there is none. */
  readonly rangeField: string | undefined;
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
  readonly desc: boolean;
  readonly limit: number;
  /** Values of the fields of `index.key` after `equals` in the last document of the page before. */
  readonly after: readonly Scalar[] | undefined;
  readonly fingerprint: number;
}

/** A checked search in a tokens index. */
export interface TokensPlan {
  readonly index: TokensIndex;
  readonly scope: Scalar;
  readonly words: readonly string[];
  readonly limit: number;
  /** Newest and `_id` of the last document of the page before. */
  readonly after: readonly Scalar[] | undefined;
  readonly fingerprint: number;
}

/** Checks a scan. Throws `store.unknown_index`, `store.bad_query` or `store.bad_cursor`. */
export function planScan(spec: CheckedSpec, name: string, query: ScanQuery): OrderedPlan | TokensPlan {
  const { limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > storeLimits.page)
    refuse('store.bad_query', `${spec.name}: limit must be 1 to ${storeLimits.page}`);
  const index = indexOf(spec, name);
  return index.kind === 'tokens' ? planTokens(spec, index, query) : planOrdered(spec, index, query, limit);
}

/** Checks a count. */
export function planCount(
  spec: CheckedSpec,
  name: string,
  query: Pick<ScanQuery, 'equals' | 'range'>,
  cap: number,
): OrderedPlan {
  if (!Number.isInteger(cap) || cap < 1) refuse('store.bad_query', `${spec.name}: cap must be a positive integer`);
  const index = indexOf(spec, name);
  if (index.kind === 'tokens') return refuse('store.bad_query', `${spec.name}: a tokens index cannot be counted`);
  return planOrdered(spec, index, { equals: query.equals ?? [], range: query.range ?? {}, limit: 1 }, cap);
}

function indexOf(spec: CheckedSpec, name: string): OrderedIndex | TokensIndex {
  return spec.indexes.get(name) ?? refuse('store.unknown_index', `${spec.name} has no index "${name}"`);
}

function planOrdered(spec: CheckedSpec, index: OrderedIndex, query: ScanQuery, limit: number): OrderedPlan {
  const where = `${spec.name}, index ${index.name}`;
  if (query.words) refuse('store.bad_query', `${where}: words belong to a tokens index`);
  const equals = scalars(where, query.equals ?? [], index.fields.length);
  if (index.array !== undefined && !index.fields.slice(0, equals.length).includes(index.array))
    refuse('store.bad_query', `${where}: equals must give the array field ${index.array}`);
  const rangeField = index.key[equals.length];
  const { gt, gte, lt, lte } = query.range ?? {};
  if ((gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined))
    refuse('store.bad_query', `${where}: a range has one lower and one upper bound`);
  const lower = bound(where, gt === undefined ? gte : gt, gte !== undefined);
  const upper = bound(where, lt === undefined ? lte : lt, lte !== undefined);
  if ((lower || upper) && rangeField === undefined)
    refuse('store.bad_query', `${where}: no field is left for the range`);
  if (lower && upper && typeof lower.value !== typeof upper.value)
    refuse('store.bad_query', `${where}: both bounds of a range must be of one type`);
  const desc = query.order === 'desc';
  const fingerprint = hash(JSON.stringify([spec.name, index.name, equals, desc]));
  const after = readCursor(query.after, fingerprint, index.key.length - equals.length);
  return { index, equals, rangeField, lower, upper, desc, limit, after, fingerprint };
}

function planTokens(spec: CheckedSpec, index: TokensIndex, query: ScanQuery): TokensPlan {
  const where = `${spec.name}, index ${index.name}`;
  const equals = scalars(where, query.equals ?? [], 1);
  if (equals.length !== 1) refuse('store.bad_query', `${where}: equals must give ${index.scope}`);
  if (query.range || query.order === 'asc') refuse('store.bad_query', `${where}: only newest first, without a range`);
  const words = [...new Set(query.words ?? [])];
  if (words.length < 1 || words.length > storeLimits.searchWords)
    refuse('store.bad_query', `${where}: 1 to ${storeLimits.searchWords} words`);
  for (const word of words)
    if (typeof word !== 'string' || word === '' || !isIndexable(word))
      refuse('store.bad_query', `${where}: a word must be text of 1 to ${storeLimits.indexedBytes} bytes`);
  const fingerprint = hash(JSON.stringify([spec.name, index.name, equals, words.toSorted()]));
  const after = readCursor(query.after, fingerprint, 2);
  return { index, scope: equals[0] ?? null, words, limit: query.limit, after, fingerprint };
}

function scalars(where: string, values: readonly Value[], most: number): readonly Scalar[] {
  if (values.length > most) refuse('store.bad_query', `${where}: more values in equals than fields`);
  for (const value of values)
    if (!isIndexable(value)) refuse('store.bad_query', `${where}: a value in equals cannot stand in an index`);
  return values as readonly Scalar[];
}

function bound(where: string, value: Value | undefined, inclusive: boolean): Bound | undefined {
  if (value === undefined) return undefined;
  if (value === null || !isIndexable(value)) refuse('store.bad_query', `${where}: a bound cannot stand in an index`);
  return { value: value as Exclude<Scalar, null>, inclusive };
}

/** Cursor for the page after `last`. */
export function cursorAfter(plan: OrderedPlan | TokensPlan, last: Doc): string {
  const fields = last as unknown as Readonly<Record<string, Scalar | undefined>>;
  const names = 'scope' in plan ? [plan.index.newest, '_id'] : plan.index.key.slice(plan.equals.length);
  const values = names.map(name => fields[name] ?? null);
  return Buffer.from(JSON.stringify([plan.fingerprint, ...values])).toString('base64url');
}

function readCursor(cursor: string | undefined, fingerprint: number, length: number): readonly Scalar[] | undefined {
  if (cursor === undefined) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (!Array.isArray(parts) || parts.length !== length + 1 || parts[0] !== fingerprint)
    return refuse('store.bad_cursor', 'the cursor belongs to another index, equals or order');
  const values = parts.slice(1) as unknown[];
  if (!values.every(isIndexable)) refuse('store.bad_cursor', 'the cursor is damaged');
  return values as Scalar[];
}

/** FNV-1a over UTF-16 units; tells queries apart, protects nothing. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
