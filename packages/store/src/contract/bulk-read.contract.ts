import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BulkReader } from '../bulk-read.ts';
import type { Doc, Store } from '../store.ts';
import { entries, others, type Thing, things } from './fixture.ts';

/** A store and a way to read all of it. */
export interface BulkGround {
  readonly store: Store;
  /** Opens a reader now. */
  reader(): Promise<BulkReader>;
  close(): Promise<void>;
}

/** What every bulk reader does. */
export function bulkReadContract(name: string, open: () => Promise<BulkGround>): void {
  const withGround = (work: (ground: BulkGround) => Promise<void>) => async () => {
    const ground = await open();
    try {
      await work(ground);
    } finally {
      await ground.close();
    }
  };
  const all = async (reader: BulkReader): Promise<{ docs: Thing[]; portions: number }> => {
    const docs: Thing[] = [];
    let portions = 0;
    for await (const portion of reader.read(things)) {
      docs.push(...portion);
      portions++;
    }
    return { docs: docs.sort((a, b) => (a._id < b._id ? -1 : 1)), portions };
  };

  describe(`bulk reader: ${name}`, () => {
    it(
      'gives every document as it was stored, also those in no index',
      withGround(async ({ store, reader }) => {
        await store.migrate([things]);
        const docs: Thing[] = [
          { _id: 'a', group: 'g', rank: 1, payload: new Uint8Array([0, 255]), more: { deep: new Uint8Array([7]) } },
          { _id: 'b', group: null, mail: null, names: [], tags: ['x', 'y'], more: [1, null, 'ü', { t: true }] },
          { _id: 'c' },
          { _id: 'd', badge: 0, rank: '', words: ['w'], room: 'r', sentMs: 1.5, dueMs: 0, endsMs: 9e15 },
        ];
        for (const doc of docs) assert.ok((await store.collection(things).insert(doc)).inserted);
        assert.ok((await store.collection(things).replace({ _id: 'c', more: 'changed' }, 1)).replaced);
        const bulk = await reader();
        const found = await all(bulk);
        const expected = docs.map(doc =>
          doc._id === 'c' ? { _id: 'c', _rev: 2, more: 'changed' } : { ...doc, _rev: 1 },
        );
        assert.deepEqual(found.docs, expected);
        assert.ok(found.docs[0]?.payload?.constructor === Uint8Array);
        await bulk.close();
      }),
    );

    it(
      'gives each of many documents once, in portions, and counts them',
      withGround(async ({ store, reader }) => {
        await store.migrate([things]);
        const ids = Array.from({ length: 2_500 }, (_, i) => `t${String(i).padStart(5, '0')}`);
        const docs = ids.map((_id, i) => ({ _id, rank: i, payload: new Uint8Array(2_000) }));
        for (const result of await store.collection(things).insertMany(docs)) assert.ok(result.inserted);
        const bulk = await reader();
        const found = await all(bulk);
        assert.deepEqual(
          found.docs.map(doc => doc._id),
          ids,
        );
        assert.ok(found.portions >= 3, `${found.portions} portions`);
        assert.equal(await bulk.count(things), 2_500);
        assert.equal(await bulk.count(things, 10), 10);
        await bulk.close();
      }),
    );

    it(
      'closes a portion when it holds enough bytes',
      withGround(async ({ store, reader }) => {
        await store.migrate([things]);
        const large = (_id: string): Doc => ({ _id, payload: new Uint8Array(3 * 1024 * 1024) }) as Doc;
        for (const id of ['a', 'b', 'c']) await store.collection(things).insert(large(id) as Thing);
        const bulk = await reader();
        assert.equal((await all(bulk)).portions, 2);
        await bulk.close();
      }),
    );

    it(
      'finds nothing in a collection that was never made, and nothing of another one',
      withGround(async ({ store, reader }) => {
        await store.migrate([things, others]);
        await store.collection(others).insert({ _id: 'x' });
        const bulk = await reader();
        assert.deepEqual((await all(bulk)).docs, []);
        assert.equal(await bulk.count(things), 0);
        for await (const portion of bulk.read(entries)) assert.fail(`found ${portion.length}`);
        assert.equal(await bulk.count(entries), 0);
        await bulk.close();
      }),
    );
  });
}
