import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Collection, CollectionSpec, Doc } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { rehearsedCollection } from './rehearsed-collection.ts';

interface Thing extends Doc {
  readonly name: string;
  readonly kind: string | null;
  readonly size: number;
  readonly shown: boolean;
  readonly tags: readonly string[];
}

const things: CollectionSpec<Thing> = {
  name: 'directory_things',
  indexes: {
    byName: { kind: 'unique', fields: ['name'] },
    byKind: { kind: 'ordered', fields: ['kind', 'size'] },
    byShown: { kind: 'ordered', fields: ['shown', '_id'] },
    byTag: { kind: 'ordered', fields: ['tags', 'size'], array: 'tags' },
    all: { kind: 'ordered', fields: ['size'] },
  },
};

describe('a rehearsed collection', () => {
  it('answers as the store would, call for call, and leaves the store as it was', async () => {
    const clock = new ManualClock();
    for (let seed = 1; seed <= 20; seed++) {
      const stores = openMemoryStore({ clock, sweepEveryMs: 2 ** 31 - 1 });
      const [real, base] = await Promise.all(
        ['real', 'base'].map(async name => {
          const store = stores.store(name);
          await store.migrate([things]);
          return store.collection(things);
        }),
      );
      assert.ok(real && base);
      const random = numbers(seed);
      const thing = (id: number): Thing => ({
        _id: `t${id}`,
        name: `${['n', '𠮷', 'é'][random(3)]}${random(12)}`,
        kind: [null, 'a', 'b'][random(3)] as string | null,
        size: random(5),
        shown: random(2) === 0,
        tags: ['x', 'y', 'z'].slice(0, random(4)),
      });
      const first = Array.from({ length: 15 }, (_, i) => thing(i));
      assert.deepEqual(await real.insertMany(first), await base.insertMany(first));
      const before = await contentOf(base);
      const rehearsed = rehearsedCollection(base, things);
      for (let step = 0; step < 60; step++) {
        const call: Call = step % 3 === 2 ? readCall(random) : await writeCall(random, thing, real);
        const [expected, actual]: unknown[] = await Promise.all([call(real), call(rehearsed)]);
        assert.deepEqual(actual, expected, `seed ${seed}, step ${step}`);
      }
      assert.deepEqual(await contentOf(rehearsed), await contentOf(real), `seed ${seed}`);
      assert.deepEqual(await contentOf(base), before);
      await stores.close();
    }
  });
});

type Call = (collection: Collection<Thing>) => Promise<unknown>;
type Random = (below: number) => number;

async function writeCall(random: Random, thing: (id: number) => Thing, real: Collection<Thing>): Promise<Call> {
  const id = random(20);
  const known = await real.get(`t${id}`);
  const revision = (known?._rev ?? 1) + (random(6) === 0 ? 1 : 0);
  const doc = thing(id);
  switch (random(5)) {
    case 0:
      return c => c.insert(doc);
    case 1: {
      const docs = [doc, thing(random(20)), thing(20 + random(5))];
      return c => c.insertMany(docs);
    }
    case 2:
      return c => c.replace(doc, revision);
    case 3:
      return random(2) ? c => c.delete(doc._id) : c => c.delete(doc._id, revision);
    default: {
      const ids = [doc._id, `t${random(20)}`, 't99'];
      return c => c.deleteMany(ids);
    }
  }
}

function readCall(random: Random): Call {
  const kind = [null, 'a', 'b'][random(3)] as string | null;
  const tag = 'xyz'[random(3)] as string;
  const limit = 1 + random(6);
  const order = random(2) ? 'asc' : 'desc';
  const size = random(5);
  const range = [{ gt: size }, { gte: size }, { lt: size }, { lte: size }, { gt: 0, lte: size }][random(5)] ?? {};
  switch (random(7)) {
    case 0:
      return c => pages(c, 'byKind', { equals: [kind], limit, order });
    case 1:
      return c => pages(c, 'byTag', { equals: [tag], limit, order, range });
    case 2:
      return c => pages(c, 'all', { limit, order, range });
    case 3:
      return c => pages(c, 'byShown', { equals: [true], limit, order, range: { gt: `t${size}` } });
    case 4:
      return c => c.count('byKind', { equals: [kind], range }, limit);
    case 5:
      return async c => {
        const docs = await c.getMany(['t1', 't2', `t${size}`, 't99']);
        return docs.toSorted((a, b) => (a._id < b._id ? -1 : 1));
      };
    default:
      return c => c.get(`t${size}`);
  }
}

async function pages(c: Collection<Thing>, index: string, query: Parameters<Collection<Thing>['scan']>[1]) {
  const found: (readonly Thing[])[] = [];
  let after: string | undefined;
  do {
    const page = await c.scan(index, after === undefined ? query : { ...query, after });
    found.push(page.docs);
    after = page.next;
  } while (after !== undefined);
  return found;
}

async function contentOf(collection: Collection<Thing>): Promise<readonly Thing[]> {
  return (await collection.scan('all', { limit: 1000 })).docs;
}

function numbers(seed: number): Random {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
