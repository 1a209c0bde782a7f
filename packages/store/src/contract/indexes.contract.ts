import assert from 'node:assert/strict';
import { allIds, ids, type Test } from './store.contract.ts';

/** Order, arrays, sparseness, words. */
export function indexContract(test: Test): void {
  test('orders strings by their UTF-8 bytes', async s => {
    const group = s.unique();
    const ranks = [
      '',
      ' ',
      'A',
      'B',
      'Z',
      'a',
      'a b',
      'ab',
      'b',
      'z',
      'Ä',
      'é',
      'ß',
      '中',
      '你',
      '\uffee',
      '👍',
      '\u{10ffff}',
      'a\0',
      'a\u0001',
    ];
    const sorted = ranks.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    await s.things.insertMany(ranks.map((rank, i) => ({ _id: `${group}-${i}`, group, rank })));
    const up = await s.things.scan('rank', { equals: [group], limit: 100 });
    assert.deepEqual(
      up.docs.map(d => d.rank),
      sorted,
    );
    const down = await s.things.scan('rank', { equals: [group], limit: 100, order: 'desc' });
    assert.deepEqual(
      down.docs.map(d => d.rank),
      sorted.toReversed(),
    );
    const some = await s.things.scan('rank', { equals: [group], range: { gte: 'é', lt: '👍' }, limit: 100 });
    assert.deepEqual(
      some.docs.map(d => d.rank),
      sorted.filter(
        r =>
          Buffer.compare(Buffer.from(r), Buffer.from('é')) >= 0 &&
          Buffer.compare(Buffer.from(r), Buffer.from('👍')) < 0,
      ),
    );
  });

  test('orders numbers by value, and ids within equal values', async s => {
    const group = s.unique();
    const ranks = [3, -1, 0.5, 1e15, -1e15, 2 ** 40, 2, 10];
    await s.things.insertMany(
      ranks.flatMap((rank, i) => ['b', 'a', '中'].map(n => ({ _id: `${group}-${i}${n}`, group, rank }))),
    );
    const { docs } = await s.things.scan('rank', { equals: [group], limit: 100 });
    const expected = ranks.map((rank, i) => ({ rank, i })).toSorted((a, b) => a.rank - b.rank);
    assert.deepEqual(
      docs.map(d => d._id),
      expected.flatMap(({ i }) => ['a', 'b', '中'].map(n => `${group}-${i}${n}`)),
    );
  });

  test('puts null and missing first and together', async s => {
    const group = s.unique();
    await s.things.insertMany([
      { _id: `${group}1`, group, rank: 'x' },
      { _id: `${group}3`, group, rank: null },
      { _id: `${group}2`, group },
      { _id: `${group}4`, group, rank: '' },
    ]);
    const expected = ['2', '3', '4', '1'].map(n => group + n);
    assert.deepEqual(ids(await s.things.scan('rank', { equals: [group], limit: 9 })), expected);
    assert.deepEqual(ids(await s.things.scan('rank', { equals: [group, null], limit: 9 })), expected.slice(0, 2));
    for (const order of ['asc', 'desc'] as const)
      assert.deepEqual(
        await allIds(s.things, 'rank', { equals: [group], limit: 1, order }),
        order === 'asc' ? expected : expected.toReversed(),
      );
    assert.deepEqual(
      ids(await s.things.scan('rank', { equals: [group], range: { lt: 'z' }, limit: 9 })),
      expected.slice(2),
    );
    assert.equal(await s.things.count('rank', { equals: [group], range: { gte: '' } }, 9), 2);
  });

  test('a sparse index leaves out what lacks the first field', async s => {
    const base = 4_000_000_000_000;
    const p = s.unique();
    await s.things.insertMany([
      { _id: `${p}1`, dueMs: base + 2 },
      { _id: `${p}2` },
      { _id: `${p}3`, dueMs: null },
      { _id: `${p}4`, dueMs: base + 1 },
    ]);
    assert.deepEqual(ids(await s.things.scan('due', { range: { gt: base }, limit: 9 })), [`${p}4`, `${p}1`]);
    const all = await s.things.scan('due', { limit: 10_000 });
    assert.ok(all.docs.every(d => typeof d.dueMs === 'number'));
    assert.deepEqual(ids(await s.things.scan('due', { equals: [null], limit: 9 })), []);
    await s.things.replace({ _id: `${p}1` }, 1);
    await s.things.replace({ _id: `${p}2`, dueMs: base + 3 }, 1);
    assert.deepEqual(await allIds(s.things, 'due', { range: { gt: base }, limit: 1, order: 'desc' }), [
      `${p}2`,
      `${p}4`,
    ]);
    assert.equal(await s.things.count('due', { range: { gt: base } }, 9), 2);
  });

  test('an array index holds the document under each element, once', async s => {
    const [a, b, p] = [s.unique(), s.unique(), s.unique()];
    await s.things.insertMany([
      { _id: `${p}1`, tags: [a, b], rank: 3 },
      { _id: `${p}2`, tags: [b, a, b], rank: 1 },
      { _id: `${p}3`, tags: [a], rank: 2 },
      { _id: `${p}4`, tags: [], rank: 0 },
      { _id: `${p}5`, rank: 0 },
    ]);
    assert.deepEqual(ids(await s.things.scan('tag', { equals: [a], limit: 9 })), [`${p}2`, `${p}3`, `${p}1`]);
    assert.deepEqual(ids(await s.things.scan('tag', { equals: [b], limit: 9, order: 'desc' })), [`${p}1`, `${p}2`]);
    assert.deepEqual(ids(await s.things.scan('tag', { equals: [a], range: { gt: 1, lte: 3 }, limit: 9 })), [
      `${p}3`,
      `${p}1`,
    ]);
    assert.deepEqual(await allIds(s.things, 'tag', { equals: [a], limit: 1 }), [`${p}2`, `${p}3`, `${p}1`]);
    assert.equal(await s.things.count('tag', { equals: [b] }, 9), 2);
    const without = ids(await s.things.scan('tag', { equals: [null, 0], limit: 10_000 }));
    assert.ok(without.includes(`${p}5`) && !without.includes(`${p}4`));
  });

  test('an id can be the last field of an index', async s => {
    const group = s.unique();
    await s.things.insertMany(['c', 'a', 'b'].map(n => ({ _id: `${group}${n}`, group })));
    const found = await s.things.scan('byId', { equals: [group], range: { gt: `${group}a` }, limit: 9 });
    assert.deepEqual(ids(found), [`${group}b`, `${group}c`]);
    assert.deepEqual(ids(await s.things.scan('byId', { equals: [group, `${group}b`], limit: 9 })), [`${group}b`]);
    assert.deepEqual(await allIds(s.things, 'byId', { equals: [group], limit: 1, order: 'desc' }), [
      `${group}c`,
      `${group}b`,
      `${group}a`,
    ]);
  });

  test('finds documents with all the words, in one scope, newest first', async s => {
    const [room, p] = [s.unique(), s.unique()];
    await s.things.insertMany([
      { _id: `${p}1`, room, sentMs: 10, words: ['hello', 'world', '你好'] },
      { _id: `${p}2`, room, sentMs: 30, words: ['world', 'hello', 'hello'] },
      { _id: `${p}3`, room, sentMs: 20, words: ['hello'] },
      { _id: `${p}4`, room: `${room}x`, sentMs: 40, words: ['hello', 'world'] },
      { _id: `${p}5`, room, sentMs: 30, words: ['world', 'hello', '👍', 'a"b AND c*'] },
      { _id: `${p}6`, room, sentMs: 50, words: [] },
      { _id: `${p}7`, room, sentMs: 60 },
    ]);
    const search = async (words: string[]) => ids(await s.things.scan('search', { equals: [room], words, limit: 9 }));
    assert.deepEqual(await search(['hello', 'world']), [`${p}5`, `${p}2`, `${p}1`]);
    assert.deepEqual(await search(['hello']), [`${p}5`, `${p}2`, `${p}3`, `${p}1`]);
    assert.deepEqual(await search(['你好', 'hello', 'hello']), [`${p}1`]);
    assert.deepEqual(await search(['👍', 'a"b AND c*']), [`${p}5`]);
    for (const none of ['hell', 'Hello', 'hello world', '你', 'nobody'])
      assert.deepEqual(await search([none]), [], none);
    assert.deepEqual(await allIds(s.things, 'search', { equals: [room], words: ['hello'], limit: 1 }), [
      `${p}5`,
      `${p}2`,
      `${p}3`,
      `${p}1`,
    ]);
    await s.things.delete(`${p}2`);
    assert.deepEqual(await search(['hello', 'world']), [`${p}5`, `${p}1`]);
  });
}
