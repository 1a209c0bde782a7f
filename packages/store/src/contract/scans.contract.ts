import assert from 'node:assert/strict';
import { allIds, ids, type Test } from './store.contract.ts';

/** Ranges, pages, counts. */
export function scanContract(test: Test): void {
  test('reads ranges with every kind of bound, in both orders', async s => {
    const place = s.unique();
    await s.entries.insertMany([1, 2, 3, 4, 5].map(key => ({ _id: `${place}-${key}`, place, key })));
    const read = async (range: object, order: 'asc' | 'desc' = 'asc') =>
      (await s.entries.scan('place', { equals: [place], range, limit: 9, order })).docs.map(d => d.key);
    assert.deepEqual(await read({ gt: 2 }), [3, 4, 5]);
    assert.deepEqual(await read({ gte: 2 }), [2, 3, 4, 5]);
    assert.deepEqual(await read({ lt: 3 }), [1, 2]);
    assert.deepEqual(await read({ lte: 3 }), [1, 2, 3]);
    assert.deepEqual(await read({ gt: 1, lte: 4 }), [2, 3, 4]);
    assert.deepEqual(await read({ gte: 2, lt: 4 }, 'desc'), [3, 2]);
    assert.deepEqual(await read({ gt: 4, lt: 4 }), []);
    assert.deepEqual(await read({}), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids(await s.entries.scan('place', { equals: [place, 3], limit: 9 })), [`${place}-3`]);
    assert.deepEqual(await allIds(s.entries, 'place', { equals: [place, 3], limit: 1 }), [`${place}-3`]);
    assert.deepEqual(
      await allIds(s.entries, 'place', { equals: [place], range: { gt: 1, lt: 5 }, limit: 2, order: 'desc' }),
      [4, 3, 2].map(k => `${place}-${k}`),
    );
  });

  test('a range on the first field goes across the second', async s => {
    const p = s.unique();
    const docs = ['a', 'b', 'c'].flatMap(g =>
      [2, 1].map(rank => ({ _id: `${p}${g}${rank}`, group: `${p}${g}`, rank })),
    );
    await s.things.insertMany(docs);
    const query = { range: { gte: `${p}a`, lt: `${p}c` }, limit: 1 };
    const expected = ['a1', 'a2', 'b1', 'b2'].map(n => p + n);
    assert.deepEqual(await allIds(s.things, 'rank', query), expected);
    assert.deepEqual(await allIds(s.things, 'rank', { ...query, limit: 3, order: 'desc' }), expected.toReversed());
    assert.equal(await s.things.count('rank', { range: query.range }, 10), 4);
  });

  test('pages give every document once, whatever the limit', async s => {
    const group = s.unique();
    const docs = Array.from({ length: 23 }, (_, i) => ({
      _id: `${group}-${String((i * 7) % 23).padStart(2, '0')}`,
      group,
      rank: Math.floor(((i * 7) % 23) / 5),
    }));
    await s.things.insertMany(docs);
    const expected = docs.map(d => d._id).toSorted();
    for (const limit of [1, 2, 5, 22, 23, 24, 1000])
      for (const order of ['asc', 'desc'] as const)
        assert.deepEqual(
          await allIds(s.things, 'rank', { equals: [group], limit, order }),
          order === 'asc' ? expected : expected.toReversed(),
        );
    assert.equal((await s.things.scan('rank', { equals: [group], limit: 23 })).next, undefined);
    assert.notEqual((await s.things.scan('rank', { equals: [group], limit: 22 })).next, undefined);
  });

  test('paging survives inserts and deletes in between', async s => {
    const group = s.unique();
    const insert = (n: number) => s.things.insert({ _id: `${group}-${n}`, group, rank: n });
    for (const n of [10, 20, 30, 40]) await insert(n);
    const first = await s.things.scan('rank', { equals: [group], limit: 2 });
    assert.deepEqual(ids(first), [`${group}-10`, `${group}-20`]);
    await s.things.delete(`${group}-20`);
    await s.things.delete(`${group}-30`);
    await insert(15);
    await insert(25);
    assert.ok(first.next);
    const second = await s.things.scan('rank', { equals: [group], limit: 9, after: first.next });
    assert.deepEqual(ids(second), [`${group}-25`, `${group}-40`]);
  });

  test('a cursor works again after reopening and with another limit or range', async s => {
    const group = s.unique();
    await s.things.insertMany([1, 2, 3, 4, 5].map(rank => ({ _id: `${group}-${rank}`, group, rank })));
    const { next } = await s.things.scan('rank', { equals: [group], limit: 2 });
    assert.ok(next);
    const found = await s.things.scan('rank', { equals: [group], limit: 9, after: next, range: { lt: 5 } });
    assert.deepEqual(ids(found), [`${group}-3`, `${group}-4`]);
    assert.match(next, /^[A-Za-z0-9_-]+$/);
  });

  test('counts no further than the cap', async s => {
    const group = s.unique();
    await s.things.insertMany(Array.from({ length: 12 }, (_, rank) => ({ _id: `${group}-${rank}`, group, rank })));
    assert.equal(await s.things.count('rank', { equals: [group] }, 100), 12);
    assert.equal(await s.things.count('rank', { equals: [group] }, 12), 12);
    assert.equal(await s.things.count('rank', { equals: [group] }, 5), 5);
    assert.equal(await s.things.count('rank', { equals: [group], range: { gte: 10 } }, 100), 2);
    assert.equal(await s.things.count('rank', { equals: [`${group}none`] }, 100), 0);
  });

  test('a range sees only values of its bound’s type', async s => {
    const group = s.unique();
    await s.things.insertMany([
      { _id: `${group}n`, group, rank: 5 },
      { _id: `${group}s`, group, rank: '5' },
      { _id: `${group}0`, group },
    ]);
    const at = async (range: object) => ids(await s.things.scan('rank', { equals: [group], range, limit: 9 }));
    assert.deepEqual(await at({ gte: 0 }), [`${group}n`]);
    assert.deepEqual(await at({ lt: 9 }), [`${group}n`]);
    assert.deepEqual(await at({ gte: '' }), [`${group}s`]);
    assert.deepEqual(await at({ lt: '9' }), [`${group}s`]);
  });
}
