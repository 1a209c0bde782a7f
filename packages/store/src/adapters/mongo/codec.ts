import type { Document } from 'mongodb';
import type { CheckedSpec } from '../../spec.ts';
import type { Doc, Value } from '../../store.ts';

/** A document as it is stored: what the driver takes, under its own `_id` and `_rev`. */
export type Stored = Document & { _id: string; _rev: number };

/**
 * The sparse indexes are partial ones, of documents in which the first field is there. Null in such a field is therefore
 * left out and its name noted here.
 */
const NULLS = '_nulls';

/** Encodes a checked document with a revision. */
export function encode(spec: CheckedSpec, doc: Doc, revision: number): Stored {
  const stored: Stored = { _id: doc._id, _rev: revision };
  const fields = doc as unknown as Readonly<Record<string, Value | undefined>>;
  for (const name in fields) {
    if (name === '_id' || name === '_rev') continue;
    const value = fields[name];
    if (value === undefined) continue;
    if (value === null && spec.sparseFirst.has(name))
      stored[NULLS] = [...((stored[NULLS] as string[] | undefined) ?? []), name];
    else stored[name] = value;
  }
  return stored;
}

/** The document as it was given, with its revision. */
export function decode<T extends Doc>(stored: Document): T {
  const doc: Record<string, Value> = {};
  for (const name in stored) {
    if (name === NULLS) for (const n of stored[NULLS] as string[]) doc[n] = null;
    else doc[name] = plain(stored[name] as Value | Uint8Array);
  }
  return doc as unknown as T;
}

/** The driver's `Buffer`s are views of whole replies: copies of what is wanted keep no reply alive. */
function plain(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return (value as readonly Value[]).map(plain);
  const copy: Record<string, Value> = {};
  for (const [name, field] of Object.entries(value)) copy[name] = plain(field as Value);
  return copy;
}
