import assert from 'node:assert/strict';
import type { Value } from '../store.ts';
import { things } from './fixture.ts';
import { refused, type Test } from './store.contract.ts';

const bytes = (n: number, seed = 7): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * seed + 251) & 255);

/** What comes back is what was put in. */
export function valueContract(test: Test): void {
  const values: Readonly<Record<string, Value>> = {
    'an empty string': '',
    'text of all planes': 'aé你好👩‍💻\u{10ffff} \u0001\n"\\',
    'text with NUL': 'a\0b',
    zero: 0,
    'a negative fraction': -12.75,
    'the smallest number': 5e-324,
    'the greatest exact integer': Number.MAX_SAFE_INTEGER,
    'a number beyond 2^53': 1e300,
    'an int beyond 32 bits': 1_790_000_000_123,
    true: true,
    false: false,
    null: null,
    'an empty array': [],
    'an empty object': {},
    'an array of everything': [1, 'a', null, true, [2, [3]], { x: { y: [] } }],
    'objects with odd names': { 'a b': 1, 1: 'one', 你: { $: 0 }.constructor === Object ? 1 : 0, _x: 'under' },
    'bytes within an object': { deep: [bytes(3), { more: bytes(5) }], also: bytes(0) },
    'no bytes': new Uint8Array(0),
    bytes: bytes(1000),
  };
  for (const [what, value] of Object.entries(values)) {
    test(`keeps ${what}`, async s => {
      const id = s.unique();
      await s.things.insert({ _id: id, more: value });
      assert.deepEqual(await s.things.get(id), { _id: id, _rev: 1, more: value });
    });
  }

  for (const [what, value] of Object.entries({ text: 'x', number: 4.5, true: true, false: false, null: null })) {
    test(`keeps ${what} in an indexed field and finds it there`, async s => {
      const id = s.unique();
      await s.things.insert({ _id: id, group: value, rank: id });
      const { docs } = await s.things.scan('rank', { equals: [value, id], limit: 2 });
      assert.deepEqual(docs, [{ _id: id, _rev: 1, group: value, rank: id }]);
    });
  }

  test('keeps one field of bytes, several of them, and bytes beside everything else', async s => {
    const [a, b, c] = [s.unique(), s.unique(), s.unique()];
    await s.things.insert({ _id: a, payload: bytes(400), group: a });
    await s.things.insert({ _id: b, payload: bytes(40), more: bytes(4, 3), rank: 2, tags: ['x', b] });
    await s.things.insert({ _id: c, payload: bytes(1) });
    assert.deepEqual(await s.things.get(a), { _id: a, _rev: 1, payload: bytes(400), group: a });
    assert.deepEqual(await s.things.get(b), {
      _id: b,
      _rev: 1,
      payload: bytes(40),
      more: bytes(4, 3),
      rank: 2,
      tags: ['x', b],
    });
    assert.deepEqual(await s.things.get(c), { _id: c, _rev: 1, payload: bytes(1) });
    assert.equal(Object.getPrototypeOf((await s.things.get(a))?.payload), Uint8Array.prototype);
  });

  test('stores the bytes of a view, not those around it', async s => {
    const id = s.unique();
    await s.things.insert({ _id: id, payload: Buffer.from(bytes(64)).subarray(10, 20) });
    assert.deepEqual((await s.things.get(id))?.payload, bytes(64).slice(10, 20));
  });

  test('tells null from missing, and leaves undefined out', async s => {
    const id = s.unique();
    await s.things.insert({
      _id: id,
      group: null,
      mail: null,
      tags: null,
      names: null,
      dueMs: null,
      endsMs: null,
      more: undefined,
    });
    const expected = { _id: id, _rev: 1, group: null, mail: null, tags: null, names: null, dueMs: null, endsMs: null };
    assert.deepEqual(await s.things.get(id), expected);
    assert.deepEqual(Object.keys((await s.things.get(id)) ?? {}).sort(), Object.keys(expected).sort());
  });

  test('keeps empty arrays in indexed fields', async s => {
    const id = s.unique();
    await s.things.insert({ _id: id, tags: [], names: [], words: [] });
    assert.deepEqual(await s.things.get(id), { _id: id, _rev: 1, tags: [], names: [], words: [] });
  });

  test('gives documents that are the reader’s own', async s => {
    const id = s.unique();
    const given = { _id: id, more: { list: [1] }, payload: bytes(3) };
    await s.things.insert(given);
    given.more.list.push(2);
    given.payload[0] = 0;
    const first = await s.things.get(id);
    assert.deepEqual(first, { _id: id, _rev: 1, more: { list: [1] }, payload: bytes(3) });
    assert.ok(first);
    (first.payload as Uint8Array)[0] = 99;
    assert.deepEqual((await s.things.get(id))?.payload, bytes(3));
  });

  test('takes ids of 1 to 256 bytes in any script', async s => {
    for (const id of ['x', '你'.repeat(85), '👩‍💻', 'a/b:c d"e\'f', 'x'.repeat(256)]) {
      await s.things.insert({ _id: id });
      assert.equal((await s.things.get(id))?._id, id);
      await s.things.delete(id);
    }
  });

  test('takes documents up to 4 MiB and refuses larger ones', async s => {
    const id = s.unique();
    const payload = new Uint8Array(4 * 1024 * 1024 - 200);
    assert.deepEqual(await s.things.insert({ _id: id, payload }), { inserted: true });
    assert.equal((await s.things.get(id))?.payload?.length, payload.length);
    const tooMuch = { _id: s.unique(), payload, more: 'x'.repeat(300) };
    await refused(s.things.insert(tooMuch), 'store.too_large');
    await refused(s.things.replace({ ...tooMuch, _id: id }, 1), 'store.too_large');
    await refused(s.things.insertMany([{ _id: s.unique() }, tooMuch]), 'store.too_large');
    assert.equal(await s.things.get(tooMuch._id), undefined);
    assert.equal(things.name, 'contract_things');
    await s.things.delete(id);
  });

  test('tells a time that a clock agrees with', async s => {
    const [a, b] = [await s.store.now(), await s.store.now()];
    assert.ok(a > 1_700_000_000_000 && b >= a && b - a < 60_000);
    assert.equal(s.store.connected, true);
  });
}
