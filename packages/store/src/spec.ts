import { refuse } from './errors.ts';
import type { CollectionSpec, Doc, IndexSpec } from './store.ts';

/** An index whose declaration was checked. Expiring indexes are ordered, sparse ones. */
export interface OrderedIndex {
  readonly kind: 'ordered';
  readonly name: string;
  readonly fields: readonly string[];
  /** Fields that together name one entry: the fields, and `_id` unless unique. */
  readonly key: readonly string[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly array: string | undefined;
  readonly expiring: boolean;
}

/** A tokens index whose declaration was checked. */
export interface TokensIndex {
  readonly kind: 'tokens';
  readonly name: string;
  readonly field: string;
  readonly scope: string;
  readonly newest: string;
}

/** A collection whose declaration was checked. */
export interface CheckedSpec {
  readonly name: string;
  readonly indexes: ReadonlyMap<string, OrderedIndex | TokensIndex>;
  readonly ordered: readonly OrderedIndex[];
  readonly tokens: readonly TokensIndex[];
  readonly cluster: OrderedIndex | undefined;
  /** Fields that must hold a string, number, boolean or null. */
  readonly scalars: ReadonlySet<string>;
  /** Fields that may hold an array of such. */
  readonly arrays: ReadonlySet<string>;
  /** Fields that hold arrays of words. */
  readonly words: ReadonlySet<string>;
  /** Fields whose absence keeps a document out of an index. */
  readonly sparseFirst: ReadonlySet<string>;
}

const COLLECTION = /^[a-z][a-z0-9_]{0,62}$/;
const INDEX = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const FIELD = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const checked = new WeakMap<object, CheckedSpec>();

/** Checks a declaration; the result is remembered. Throws `store.bad_spec`. */
export function checkSpec<T extends Doc>(spec: CollectionSpec<T>): CheckedSpec {
  const known = checked.get(spec);
  if (known) return known;
  if (!COLLECTION.test(spec.name)) refuse('store.bad_spec', `collection name "${spec.name}" is not allowed`);
  const fail = (index: string, why: string) => refuse('store.bad_spec', `${spec.name}, index ${index}: ${why}`);
  const indexes = new Map<string, OrderedIndex | TokensIndex>();
  for (const [name, declared] of Object.entries(spec.indexes)) {
    if (!INDEX.test(name)) fail(name, 'name is not allowed');
    indexes.set(name, declared.kind === 'tokens' ? tokens(name, declared, fail) : ordered(name, declared, fail));
  }
  const all = [...indexes.values()];
  const orderedOnes = all.filter(i => i.kind === 'ordered');
  const tokensOnes = all.filter(i => i.kind === 'tokens');
  const cluster = spec.clusterBy === undefined ? undefined : orderedOnes.find(i => i.name === spec.clusterBy);
  if (spec.clusterBy !== undefined && (!cluster || cluster.array || cluster.sparse))
    fail(spec.clusterBy, 'clusterBy must name an ordered or unique index that is not sparse and has no array');
  const arrays = new Set(orderedOnes.flatMap(i => i.array ?? []));
  const words = new Set(tokensOnes.map(i => i.field));
  const scalars = new Set([
    ...orderedOnes.flatMap(i => i.fields.filter(f => f !== i.array && f !== '_id')),
    ...tokensOnes.flatMap(i => [i.scope, i.newest]),
  ]);
  for (const f of scalars)
    if (arrays.has(f) || words.has(f)) fail('*', `field ${f} is used as array and as single value`);
  const folded = new Set([...scalars].map(f => f.toLowerCase()));
  if (folded.size !== scalars.size) fail('*', 'two indexed fields differ only in upper and lower case');
  const sparseFirst = new Set(orderedOnes.filter(i => i.sparse).map(i => i.fields[0] as string));
  const result = {
    name: spec.name,
    indexes,
    ordered: orderedOnes,
    tokens: tokensOnes,
    cluster,
    scalars,
    arrays,
    words,
    sparseFirst,
  };
  checked.set(spec, result);
  return result;
}

type Fail = (index: string, why: string) => never;

function ordered(name: string, spec: Exclude<IndexSpec, { kind: 'tokens' }>, fail: Fail): OrderedIndex {
  const expiring = spec.kind === 'expiring';
  const fields = expiring ? [spec.field] : spec.fields;
  if (fields.length < 1 || fields.length > 8) fail(name, 'needs 1 to 8 fields');
  if (new Set(fields).size !== fields.length) fail(name, 'a field stands twice');
  fields.forEach((f, i) => {
    if (!FIELD.test(f) && !(f === '_id' && i === fields.length - 1)) fail(name, `field "${f}" is not allowed`);
  });
  const array = spec.kind === 'ordered' ? spec.array : undefined;
  if (spec.kind === 'unique' && 'array' in spec) fail(name, 'a unique index has no array');
  if (array !== undefined && (!fields.includes(array) || array === '_id')) fail(name, 'array names none of its fields');
  const unique = spec.kind === 'unique';
  const key = unique || fields.includes('_id') ? fields : [...fields, '_id'];
  const sparse = expiring || spec.sparse === true;
  return { kind: 'ordered', name, fields, key, unique, sparse, array, expiring };
}

function tokens(name: string, spec: Extract<IndexSpec, { kind: 'tokens' }>, fail: Fail): TokensIndex {
  for (const f of [spec.field, spec.scope, spec.newest]) if (!FIELD.test(f)) fail(name, `field "${f}" is not allowed`);
  if (new Set([spec.field, spec.scope, spec.newest]).size !== 3) fail(name, 'field, scope and newest must differ');
  return { kind: 'tokens', name, field: spec.field, scope: spec.scope, newest: spec.newest };
}
