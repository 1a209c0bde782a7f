import { type Collection, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { StoreError } from '../../errors.ts';
import type { CheckedSpec } from '../../spec.ts';
import type { InsertResult, ReplaceResult } from '../../store.ts';
import type { Stored } from './codec.ts';
import { failure, isDuplicate } from './errors.ts';

type Duplicate = { readonly index: string; readonly existingId: string };

/** Tries again when the document in the way was gone before it could be named. */
const TRIES = 3;
const INSERTED: InsertResult = { inserted: true };

/** Inserts all, each on its own; one outcome per document, in order. */
export async function insertAll(
  target: Collection<Stored>,
  spec: CheckedSpec,
  docs: readonly Stored[],
): Promise<(InsertResult | Error)[]> {
  const outcomes: (InsertResult | Error | undefined)[] = docs.map(() => undefined);
  let left = docs.map((_, i) => i);
  for (let attempt = 0; left.length > 0 && attempt < TRIES; attempt++) {
    try {
      const duplicates = await insertSome(target, docs, left, outcomes);
      left = duplicates;
      const insertedNow = new Set(docs.filter((_, i) => outcomes[i] === INSERTED).map(d => d._id));
      const named = await nameDuplicates(
        target,
        spec,
        duplicates.map(i => docs[i] as Stored),
        insertedNow,
      );
      named.forEach((found, j) => {
        if (found) outcomes[duplicates[j] as number] = { inserted: false, ...found };
      });
      left = duplicates.filter((_, j) => !named[j]);
    } catch (error) {
      for (const i of left) outcomes[i] = failure(error, true);
      left = [];
    }
  }
  return outcomes.map(o => o ?? new StoreError('store.unavailable', 'the document in the way keeps changing'));
}

/** One request. Fills in what is decided; resolves with the places of the duplicates. */
async function insertSome(
  target: Collection<Stored>,
  docs: readonly Stored[],
  left: readonly number[],
  outcomes: (InsertResult | Error | undefined)[],
): Promise<number[]> {
  const duplicates: number[] = [];
  try {
    await target.insertMany(
      left.map(i => docs[i] as Stored),
      { ordered: false },
    );
    for (const i of left) outcomes[i] = INSERTED;
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw failure(error, true);
    // What went wrong with the whole request, the driver wraps into an error of the same kind.
    const whole: unknown = error.errorResponse;
    if (whole instanceof Error) throw failure(whole, true);
    const errors = error.result.getWriteErrors();
    const unsure = error.result.getWriteConcernError() !== undefined || errors.length === 0;
    for (const i of left) outcomes[i] = unsure ? failure(error, true) : INSERTED;
    for (const e of errors) {
      const i = left[e.index] as number;
      outcomes[i] = undefined;
      if (e.code === 11000) duplicates.push(i);
      else outcomes[i] = failure(new MongoServerError({ message: 'write error', code: e.code }), true);
    }
  }
  return duplicates;
}

/** The documents in the way: by `_id` first, then by the unique indexes in the order of their declaration. */
async function nameDuplicates(
  target: Collection<Stored>,
  spec: CheckedSpec,
  docs: readonly Stored[],
  insertedNow: ReadonlySet<string>,
): Promise<(Duplicate | undefined)[]> {
  if (docs.length === 0) return [];
  const ids = docs.map(d => d._id);
  const found = await target.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
  const there = new Set(found.map(d => d._id));
  return Promise.all(
    docs.map(async d => {
      const byId = there.has(d._id) ? { index: '_id', existingId: d._id } : undefined;
      // An id that came with this very request may have come after the document that was refused.
      if (byId && !insertedNow.has(d._id)) return byId;
      return (await findOther(target, spec, d)) ?? byId;
    }),
  );
}

async function findOther(target: Collection<Stored>, spec: CheckedSpec, doc: Stored): Promise<Duplicate | undefined> {
  for (const index of spec.ordered) {
    if (!index.unique) continue;
    const first = index.fields[0] as string;
    if (index.sparse && doc[first] === undefined) continue;
    const parts: object[] = index.fields.map(field => ({ [field]: (doc[field] as unknown) ?? null }));
    if (index.sparse) parts.push({ [first]: { $exists: true } });
    const filter = { $and: [...parts, { _id: { $ne: doc._id } }] };
    const other = await target.findOne(filter, { projection: { _id: 1 } });
    if (other) return { index: index.name, existingId: other._id };
  }
  return undefined;
}

/** Replaces when the stored document has the revision before the one of `doc`. */
export async function replaceStored(
  target: Collection<Stored>,
  spec: CheckedSpec,
  doc: Stored,
): Promise<ReplaceResult> {
  const { _id, ...content } = doc;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { matchedCount } = await target.replaceOne({ _id, _rev: doc._rev - 1 }, content);
      if (matchedCount > 0) return { replaced: true, revision: doc._rev };
    } catch (error) {
      if (!isDuplicate(error)) throw failure(error, true);
      const found = await asking(() => findOther(target, spec, doc));
      if (found) return { replaced: false, reason: 'duplicate', ...found };
      continue;
    }
    const there = await asking(() => target.findOne({ _id }, { projection: { _id: 1 } }));
    return { replaced: false, reason: there ? 'revision' : 'missing' };
  }
  throw new StoreError('store.unavailable', 'the document in the way keeps changing');
}

/** A read that only names why a write was refused. */
async function asking<R>(read: () => Promise<R>): Promise<R> {
  try {
    return await read();
  } catch (error) {
    throw failure(error, false);
  }
}
