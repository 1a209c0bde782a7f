import type { Scalar } from '../../query.ts';
import type { Doc, Value } from '../../store.ts';
import type { SqlValue } from './statements.ts';

/**
 * A document as a row: indexed fields are columns; the rest is JSON; bytes stand in a column of their own. The JSON is
 * preceded by the name of the one top-level field that holds bytes, or by `*` when there are several or deeper ones,
 * which are then written `{"$b":[offset,length]}`.
 */
export interface EncodedRest {
  readonly json: string | null;
  readonly bytes: Uint8Array | null;
}

type Fields = Record<string, Value | undefined>;

const FALSE = new Uint8Array([0]);
const TRUE = new Uint8Array([1]);

/** Null and missing in an index: below every number, and equal to itself, which NULL is not. */
export const NOTHING = Number.NEGATIVE_INFINITY;

/** A value as an indexed column holds it; the order is nothing, numbers, strings, booleans. */
export function toColumn(value: Value | undefined): SqlValue {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return typeof value === 'object' ? NOTHING : value;
}

/** The value a column stands for; undefined for nothing. */
export function fromColumn(value: SqlValue | undefined): Exclude<Scalar, null> | undefined {
  if (value === undefined || value === null || value === NOTHING) return undefined;
  return value instanceof Uint8Array ? value[0] === 1 : value;
}

/** Everything of `doc` that is not in a column. Null in a column's field is kept here, to tell it from missing. */
export function encodeRest(doc: Doc, columns: ReadonlySet<string>, nestedBytes: boolean): EncodedRest {
  const fields = doc as unknown as Fields;
  const rest: Fields = {};
  let bytesField: string | undefined;
  let several = nestedBytes;
  let any = false;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || name === '_id' || name === '_rev') continue;
    if (value === null) rest[name] = null;
    else if (typeof value !== 'object' && columns.has(name)) continue;
    else if (value instanceof Uint8Array) {
      if (bytesField !== undefined) several = true;
      bytesField = name;
      continue;
    } else rest[name] = value;
    any = true;
  }
  if (several) return encodeSeveral(fields, columns);
  if (bytesField === undefined) return { json: any ? JSON.stringify(rest) : null, bytes: null };
  return { json: any ? bytesField + JSON.stringify(rest) : bytesField, bytes: fields[bytesField] as Uint8Array };
}

function encodeSeveral(fields: Fields, columns: ReadonlySet<string>): EncodedRest {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const replace = (value: Value | undefined): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Uint8Array) {
      parts.push(value);
      offset += value.byteLength;
      return { $b: [offset - value.byteLength, value.byteLength] };
    }
    if (Array.isArray(value)) return (value as readonly Value[]).map(replace);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner as Value)]));
  };
  const rest: Record<string, unknown> = {};
  for (const name in fields) {
    if (name === '_id' || name === '_rev' || (columns.has(name) && typeof fields[name] !== 'object')) continue;
    rest[name] = replace(fields[name]);
  }
  return { json: `*${JSON.stringify(rest)}`, bytes: Buffer.concat(parts) };
}

/** The document of a row `[_id, _rev, json, bytes, ...columns]`. */
export function decodeRow(row: readonly SqlValue[], columns: readonly string[]): Doc {
  const doc: Fields = { _id: row[0] as string, _rev: row[1] as number };
  const text = row[2] as string | null;
  if (text !== null) {
    const brace = text.charCodeAt(0) === 123 ? 0 : text.indexOf('{');
    const marker = brace < 0 ? text : text.slice(0, brace);
    if (brace >= 0) {
      const rest = JSON.parse(brace === 0 ? text : text.slice(brace)) as Fields;
      const bytes = row[3] as Uint8Array;
      for (const name in rest) doc[name] = marker === '*' ? revive(rest[name] as Value, bytes) : (rest[name] as Value);
    }
    if (marker !== '' && marker !== '*') doc[marker] = row[3] as Uint8Array;
  }
  for (let i = 0; i < columns.length; i++) {
    const value = fromColumn(row[i + 4]);
    if (value !== undefined) doc[columns[i] as string] = value;
  }
  return doc as unknown as Doc;
}

function revive(value: Value, bytes: Uint8Array): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Value[]).map(inner => revive(inner, bytes));
  const object = value as Fields;
  const place = object.$b as readonly [number, number] | undefined;
  if (place) return bytes.slice(place[0], place[0] + place[1]);
  const copy: Fields = {};
  for (const name in object) copy[name] = revive(object[name] as Value, bytes);
  return copy as Value;
}
