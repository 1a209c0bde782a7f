import type { Clock, Counter, Histogram } from '@parley/runtime';
import type { Collection as Target } from 'mongodb';
import { StoreError } from '../../errors.ts';
import { cursorAfter, planCount, planScan } from '../../query.ts';
import type { CheckedSpec } from '../../spec.ts';
import type { Collection, Doc, InsertResult, Page, ReplaceResult, ScanQuery } from '../../store.ts';
import { checkDocument, checkId, checkMany, checkRevision, storeLimits } from '../../validate.ts';
import { decode, encode, type Stored } from './codec.ts';
import { failure } from './errors.ts';
import { orderedFind, tokensFind } from './filter.ts';
import { gather } from './gather.ts';
import { insertAll, replaceStored } from './writes.ts';

/** Counts and times of the calls to the server. */
export interface MongoMeters {
  readonly seconds: Histogram<'operation'>;
  readonly failures: Counter<'operation' | 'code'>;
  readonly inserts: Histogram;
}

/** What a collection works with. */
export interface MongoCollectionDeps {
  readonly clock: Clock;
  readonly meters: MongoMeters | undefined;
  /** The collection on the server, once it is known to be migrated. */
  readonly target: () => Promise<Target<Stored>>;
  /** Requests of one kind under way at a time, per collection. */
  readonly concurrent: number;
  /** Inserts or gets that may wait, per collection. */
  readonly queue: number;
}

/** Documents of one request of a deleteMany. */
const CHUNK = 1000;
const ABOUT = 8 * 1024 * 1024;

/** One collection. */
export function mongoCollection<T extends Doc>(spec: CheckedSpec, deps: MongoCollectionDeps): Collection<T> {
  const { clock, meters, target } = deps;

  async function call<R>(operation: string, write: boolean, work: (t: Target<Stored>) => Promise<R>): Promise<R> {
    const started = clock.monotonic();
    try {
      return await work(await target());
    } catch (error) {
      const failed = failure(error, write);
      meters?.failures.inc({ operation, code: failed.code });
      throw failed;
    } finally {
      meters?.seconds.observe((clock.monotonic() - started) / 1000, { operation });
    }
  }

  const options = {
    bytes: ABOUT,
    concurrent: deps.concurrent,
    queue: deps.queue,
    overloaded: () => new StoreError('store.overloaded', `${spec.name}: ${deps.queue} calls wait already`),
  };
  const insertOne = gather<Stored, InsertResult>(docs => {
    meters?.inserts.observe(docs.length);
    return call('insert', true, t => insertAll(t, spec, docs));
  }, options);
  const getOne = gather<string, T>(async ids => {
    const distinct = [...new Set(ids)];
    const filter = distinct.length === 1 ? { _id: distinct[0] as string } : { _id: { $in: distinct } };
    const found = await call('get', false, t => t.find(filter, { batchSize: distinct.length + 1 }).toArray());
    const byId = new Map(found.map(stored => [stored._id, stored]));
    return ids.map(id => {
      const stored = byId.get(id);
      return stored && decode<T>(stored);
    });
  }, options);
  const insertChecked = async (doc: T): Promise<InsertResult> => {
    const { size } = checkDocument(spec, doc);
    return (await insertOne(encode(spec, doc, 1), size)) as InsertResult;
  };

  return {
    async get(id: string): Promise<T | undefined> {
      checkId(id);
      return getOne(id, 4096);
    },
    async getMany(ids: readonly string[]): Promise<readonly T[]> {
      checkMany(spec, ids, storeLimits.getMany);
      ids.forEach(checkId);
      if (ids.length === 0) return [];
      const filter = { _id: { $in: [...new Set(ids)] } };
      const found = await call('getMany', false, t => t.find(filter, { batchSize: ids.length + 1 }).toArray());
      return found.map(stored => decode<T>(stored));
    },
    insert: insertChecked,
    async insertMany(docs: readonly T[]): Promise<readonly InsertResult[]> {
      checkMany(spec, docs, storeLimits.writeMany);
      const checked = docs.map(doc => ({ size: checkDocument(spec, doc).size, stored: encode(spec, doc, 1) }));
      return Promise.all(checked.map(c => insertOne(c.stored, c.size) as Promise<InsertResult>));
    },
    async replace(doc: T, expectedRevision: number): Promise<ReplaceResult> {
      checkRevision(spec, expectedRevision);
      checkDocument(spec, doc);
      return call('replace', true, t => replaceStored(t, spec, encode(spec, doc, expectedRevision + 1)));
    },
    async delete(id: string, expectedRevision?: number): Promise<boolean> {
      checkId(id);
      if (expectedRevision !== undefined) checkRevision(spec, expectedRevision);
      const filter = expectedRevision === undefined ? { _id: id } : { _id: id, _rev: expectedRevision };
      return call('delete', true, async t => (await t.deleteOne(filter)).deletedCount > 0);
    },
    async deleteMany(ids: readonly string[]): Promise<number> {
      checkMany(spec, ids, storeLimits.writeMany);
      ids.forEach(checkId);
      const distinct = [...new Set(ids)];
      let deleted = 0;
      for (let i = 0; i < distinct.length; i += CHUNK) {
        const some = { _id: { $in: distinct.slice(i, i + CHUNK) } };
        deleted += await call('deleteMany', true, async t => (await t.deleteMany(some)).deletedCount);
      }
      return deleted;
    },
    async scan(index: string, query: ScanQuery): Promise<Page<T>> {
      const plan = planScan(spec, index, query);
      const { filter, sort } = 'scope' in plan ? tokensFind(plan) : orderedFind(plan);
      const limit = plan.limit + 1;
      const found = await call('scan', false, t =>
        t.find(filter, { sort, hint: hintOf(plan.index), limit, batchSize: limit + 1 }).toArray(),
      );
      const docs = found.slice(0, plan.limit).map(stored => decode<T>(stored));
      return { docs, next: found.length > plan.limit ? cursorAfter(plan, docs.at(-1) as T) : undefined };
    },
    async count(index: string, query: Pick<ScanQuery, 'equals' | 'range'>, cap: number): Promise<number> {
      const plan = planCount(spec, index, query, cap);
      const { filter } = orderedFind(plan);
      return call('count', false, t => t.countDocuments(filter, { limit: cap, hint: hintOf(plan.index) }));
    },
  };
}

/** The server keeps an index of its own for `_id`. */
export const hintOf = (index: { readonly name: string; readonly key?: readonly string[] }): string =>
  index.key?.length === 1 && index.key[0] === '_id' ? '_id_' : index.name;
