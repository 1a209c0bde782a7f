import type { Collection, CollectionSpec, Doc, IndexSpec, InsertResult, ReplaceResult, ScanQuery } from '@parley/store';

type Fields = Readonly<Record<string, unknown>>;
type Query = Pick<ScanQuery, 'equals' | 'range'>;
interface Entry<T> {
  /** As it is stored. */
  readonly stored: T | undefined;
  /** As it would be. */
  readonly doc: T | undefined;
}

/** A collection whose writes stay in memory. Follows the contract of the store for ordered and unique indexes. */
export function rehearsedCollection<T extends Doc>(inner: Collection<T>, spec: CollectionSpec<T>): Collection<T> {
  const entries = new Map<string, Entry<T>>();
  /** Ids of entries by index and value of its first field, so that a large file does not look at all for each row. */
  const byFirst = new Map<string, Set<string>>();
  const firstFields = Object.entries(spec.indexes).flatMap(([index, declared]) =>
    'fields' in declared ? [{ index, field: declared.fields[0] as string }] : [],
  );
  const fieldsOf = (index: string) => orderedFields(spec.indexes[index]);

  async function get(id: string): Promise<T | undefined> {
    const entry = entries.get(id);
    return entry ? entry.doc : inner.get(id);
  }

  async function put(id: string, doc: T | undefined): Promise<void> {
    const known = entries.get(id);
    const entry = { stored: known ? known.stored : await inner.get(id), doc };
    entries.set(id, entry);
    for (const { index, field } of firstFields) {
      for (const value of [...valuesOf(entry.stored, field), ...valuesOf(doc, field)]) {
        const key = firstKey(index, value);
        const ids = byFirst.get(key);
        if (ids) ids.add(id);
        else byFirst.set(key, new Set([id]));
      }
    }
  }

  function entriesOf(index: string, { equals = [] }: Query): readonly Entry<T>[] {
    if (equals.length === 0) return [...entries.values()];
    return [...(byFirst.get(firstKey(index, equals[0])) ?? [])].flatMap(id => entries.get(id) ?? []);
  }

  async function scanAll(index: string, query: Query): Promise<T[]> {
    const found: T[] = [];
    let after: string | undefined;
    do {
      const page = await inner.scan(index, { ...query, limit: 1000, ...(after === undefined ? {} : { after }) });
      found.push(...page.docs.filter(doc => !entries.has(doc._id)));
      after = page.next;
    } while (after !== undefined);
    const { fields, array } = fieldsOf(index);
    for (const { doc } of entriesOf(index, query)) if (doc && fits(doc, fields, array, query)) found.push(doc);
    return found.sort((a, b) => compareBy(fields.slice(query.equals?.length ?? 0), a, b));
  }

  async function duplicateOf(doc: T): Promise<{ readonly index: string; readonly existingId: string } | undefined> {
    for (const [index, declared] of Object.entries(spec.indexes)) {
      if (declared.kind !== 'unique') continue;
      const equals = declared.fields.map(field => ((doc as Fields)[field] ?? null) as string);
      if (declared.sparse && equals[0] === null) continue;
      const other = (await scanAll(index, { equals })).find(found => found._id !== doc._id);
      if (other) return { index, existingId: other._id };
    }
    return undefined;
  }

  async function insert(doc: T): Promise<InsertResult> {
    if (await get(doc._id)) return { inserted: false, index: '_id', existingId: doc._id };
    const duplicate = await duplicateOf(doc);
    if (duplicate) return { inserted: false, ...duplicate };
    await put(doc._id, { ...doc, _rev: 1 });
    return { inserted: true };
  }

  async function replace(doc: T, expectedRevision: number): Promise<ReplaceResult> {
    const known = await get(doc._id);
    if (!known) return { replaced: false, reason: 'missing' };
    if (known._rev !== expectedRevision) return { replaced: false, reason: 'revision' };
    const duplicate = await duplicateOf(doc);
    if (duplicate) return { replaced: false, reason: 'duplicate', ...duplicate };
    const revision = expectedRevision + 1;
    await put(doc._id, { ...doc, _rev: revision });
    return { replaced: true, revision };
  }

  async function remove(id: string, expectedRevision?: number): Promise<boolean> {
    const known = await get(id);
    if (!known || (expectedRevision !== undefined && known._rev !== expectedRevision)) return false;
    await put(id, undefined);
    return true;
  }

  return {
    get,
    insert,
    replace,
    delete: remove,
    async getMany(ids) {
      const stored = await inner.getMany(ids.filter(id => !entries.has(id)));
      return [...stored, ...[...new Set(ids)].flatMap(id => entries.get(id)?.doc ?? [])];
    },
    async insertMany(docs) {
      const results: InsertResult[] = [];
      for (const doc of docs) results.push(await insert(doc));
      return results;
    },
    async deleteMany(ids) {
      let removed = 0;
      for (const id of new Set(ids)) if (await remove(id)) removed++;
      return removed;
    },
    async scan(index, query) {
      const all = await scanAll(index, { equals: query.equals ?? [], ...(query.range ? { range: query.range } : {}) });
      if (query.order === 'desc') all.reverse();
      const from = query.after === undefined ? 0 : Number(query.after);
      const docs = all.slice(from, from + query.limit);
      const end = from + docs.length;
      return { docs, next: end < all.length ? String(end) : undefined };
    },
    async count(index, query, cap) {
      const { fields, array } = fieldsOf(index);
      let count = await inner.count(index, query, cap + entries.size);
      for (const { stored, doc } of entriesOf(index, query)) {
        if (stored && fits(stored, fields, array, query)) count--;
        if (doc && fits(doc, fields, array, query)) count++;
      }
      return Math.min(count, cap);
    },
  };
}

function valuesOf(doc: Doc | undefined, field: string): readonly unknown[] {
  if (!doc) return [];
  const value = (doc as unknown as Fields)[field] ?? null;
  return Array.isArray(value) ? value : [value];
}

function firstKey(index: string, value: unknown): string {
  return `${index} ${typeof value} ${String(value)}`;
}

function orderedFields(index: IndexSpec | undefined) {
  if (index?.kind !== 'ordered' && index?.kind !== 'unique') throw new Error('not an index that can be rehearsed');
  const fields = index.fields.includes('_id') ? index.fields : [...index.fields, '_id'];
  return { fields, array: index.kind === 'ordered' ? index.array : undefined };
}

function fits(doc: Doc, fields: readonly string[], array: string | undefined, { equals = [], range }: Query): boolean {
  const valueOf = (field: string | undefined) => (doc as unknown as Fields)[field ?? ''] ?? null;
  const isEqual = equals.every((wanted, i) => {
    const value = valueOf(fields[i]);
    return fields[i] === array && Array.isArray(value) ? value.includes(wanted) : value === wanted;
  });
  if (!isEqual || !range) return isEqual;
  const value = valueOf(fields[equals.length]);
  const { gt, gte, lt, lte } = range;
  return (
    (gt === undefined || compare(value, gt) > 0) &&
    (gte === undefined || compare(value, gte) >= 0) &&
    (lt === undefined || compare(value, lt) < 0) &&
    (lte === undefined || compare(value, lte) <= 0)
  );
}

function compareBy(fields: readonly string[], a: Doc, b: Doc): number {
  for (const field of fields) {
    const result = compare((a as unknown as Fields)[field], (b as unknown as Fields)[field]);
    if (result !== 0) return result;
  }
  return 0;
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [x, y] = [a, b].map(value =>
    value === null || value === undefined ? Number.NEGATIVE_INFINITY : Number(value),
  );
  return (x as number) - (y as number) || 0;
}
