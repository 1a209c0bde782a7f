import { refuse } from './errors.ts';
import type { CheckedSpec } from './spec.ts';
import type { Doc, Value } from './store.ts';

/** Limits that every adapter enforces alike. */
export const storeLimits = {
  /** Bytes of an `_id`. */
  idBytes: 256,
  /** Bytes of a document: UTF-8 of names and strings, 8 for a number, 1 for null and booleans, 2 for a container. */
  documentBytes: 4 * 1024 * 1024,
  /** Containers within containers. */
  depth: 32,
  /** Bytes of a string in an indexed field, and of a word. */
  indexedBytes: 1024,
  /** Elements of an indexed array. */
  indexedElements: 1000,
  /** Words of a tokens field. */
  words: 10_000,
  /** Words of one search. */
  searchWords: 32,
  /** Ids of a getMany. */
  getMany: 1000,
  /** Documents or ids of an insertMany or deleteMany. */
  writeMany: 10_000,
  /** Documents of a page. */
  page: 10_000,
} as const;

/** What the check of a document found out. */
export interface DocumentShape {
  /** Size in bytes as limited by `documentBytes`. */
  readonly size: number;
  /** Whether byte arrays stand below the top level. */
  readonly nestedBytes: boolean;
}

/** Throws `store.bad_id` unless `id` may be an `_id`. */
export function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string' || id.length === 0) refuse('store.bad_id', '_id must be a string that is not empty');
  const text = id as string;
  if (text.length * 3 > storeLimits.idBytes && Buffer.byteLength(text) > storeLimits.idBytes)
    refuse('store.bad_id', `_id is longer than ${storeLimits.idBytes} bytes`);
  if (text.includes('\0') || !text.isWellFormed()) refuse('store.bad_id', '_id is not well-formed text without NUL');
}

/** Throws unless `doc` can be stored in the collection. */
export function checkDocument(spec: CheckedSpec, doc: Doc): DocumentShape {
  if (typeof doc !== 'object' || doc === null) refuse('store.bad_document', `${spec.name}: a document is an object`);
  checkId(doc._id);
  const state = { size: 2, nestedBytes: false };
  const fields = doc as unknown as Readonly<Record<string, Value | undefined>>;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    if (name.charCodeAt(0) === 95 && name !== '_id' && name !== '_rev')
      refuse('store.bad_document', `${spec.name}: field "${name}": names that begin with _ belong to the store`);
    checkName(spec, name, state);
    if (spec.scalars.has(name)) checkScalar(spec, name, value);
    else if (spec.arrays.has(name)) checkElements(spec, name, value, storeLimits.indexedElements, false);
    else if (spec.words.has(name)) checkElements(spec, name, value, storeLimits.words, true);
    walk(spec, name, value, 1, state);
  }
  if (state.size > storeLimits.documentBytes)
    refuse('store.too_large', `${spec.name}: ${state.size} bytes; a document has at most ${storeLimits.documentBytes}`);
  return state;
}

type State = { size: number; nestedBytes: boolean };

function walk(spec: CheckedSpec, path: string, value: Value, depth: number, state: State): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) refuse('store.bad_document', `${spec.name}: ${path} is not well-formed text`);
      state.size += Buffer.byteLength(value);
      return;
    case 'number':
      if (!Number.isFinite(value)) refuse('store.bad_document', `${spec.name}: ${path} is not a finite number`);
      state.size += 8;
      return;
    case 'boolean':
      state.size += 1;
      return;
    case 'object':
      break;
    default:
      refuse('store.bad_document', `${spec.name}: ${path} holds a ${typeof value}`);
  }
  if (value === null) {
    state.size += 1;
    return;
  }
  if (value instanceof Uint8Array) {
    state.size += value.byteLength;
    if (depth > 1) state.nestedBytes = true;
    return;
  }
  if (depth > storeLimits.depth) refuse('store.bad_document', `${spec.name}: ${path} is nested too deeply`);
  state.size += 2;
  if (Array.isArray(value)) {
    for (const element of value as readonly Value[]) {
      if (element === undefined) refuse('store.bad_document', `${spec.name}: ${path} has a hole`);
      walk(spec, path, element, depth + 1, state);
    }
    return;
  }
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null)
    refuse('store.bad_document', `${spec.name}: ${path} holds something that is not a plain object`);
  const fields = value as Readonly<Record<string, Value | undefined>>;
  for (const name in fields) {
    const inner = fields[name];
    if (inner === undefined) continue;
    checkName(spec, name, state);
    walk(spec, path, inner, depth + 1, state);
  }
}

function checkName(spec: CheckedSpec, name: string, state: State): void {
  if (
    name === '' ||
    name.charCodeAt(0) === 36 ||
    name === '__proto__' ||
    name === '_bsontype' ||
    name.includes('.') ||
    name.includes('\0') ||
    !name.isWellFormed()
  )
    refuse(
      'store.bad_document',
      `${spec.name}: field name "${name.slice(0, 40)}" is empty, reserved, begins with $ or contains . or NUL`,
    );
  state.size += Buffer.byteLength(name);
}

function checkScalar(spec: CheckedSpec, name: string, value: Value): void {
  if (!isIndexable(value)) refuse('store.bad_document', `${spec.name}: indexed field ${name} must hold ${INDEXABLE}`);
}

const INDEXABLE = `a string of at most ${storeLimits.indexedBytes} bytes, a finite number, a boolean or null`;

/** Whether `value` may stand in an index. */
export function isIndexable(value: unknown): value is string | number | boolean | null {
  if (typeof value === 'string') {
    const short = value.length * 3 <= storeLimits.indexedBytes || Buffer.byteLength(value) <= storeLimits.indexedBytes;
    return short && value.isWellFormed();
  }
  return value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function checkElements(spec: CheckedSpec, name: string, value: Value, most: number, words: boolean): void {
  if (value === null) return;
  if (!Array.isArray(value)) {
    if (words) refuse('store.bad_document', `${spec.name}: field ${name} must hold an array of words`);
    return checkScalar(spec, name, value);
  }
  const elements = value as readonly Value[];
  if (elements.length > most) refuse('store.bad_document', `${spec.name}: ${name} has more than ${most} elements`);
  for (const element of elements)
    if (element === null || !isIndexable(element) || (words && (typeof element !== 'string' || element === '')))
      refuse('store.bad_document', `${spec.name}: an element of ${name} must be ${INDEXABLE.replace(' or null', '')}`);
}

/** Throws `store.bad_query` when a list is longer than allowed. */
export function checkMany(spec: CheckedSpec, list: readonly unknown[], most: number): void {
  if (list.length > most) refuse('store.bad_query', `${spec.name}: ${list.length} at once; at most ${most}`);
}

/** Throws `store.bad_query` unless `revision` can be one. */
export function checkRevision(spec: CheckedSpec, revision: number): void {
  if (!Number.isSafeInteger(revision) || revision < 1)
    refuse('store.bad_query', `${spec.name}: a revision is a whole number from 1`);
}
