import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ANY_WORD,
  addEntry,
  candidatesOf,
  conversationsOf,
  conversationToken,
  DAY_MS,
  decodeBlock,
  encodeBlock,
  indexTime,
  MOST_RECORDS,
  newBlock,
  SLOT_MS,
  slotEnd,
} from './index-block.ts';
import { placeOf } from './place.ts';

const chain = '0000000000000007/archive/0003';
const NINE = 1_767_600_000_000;
const entry = (offset: number, tokens: readonly string[], timeMs = NINE + offset) => ({
  ...{ place: placeOf(chain, offset), offset, timeMs },
  tokens: new Set(tokens),
});

function blockOf(...entries: ReturnType<typeof entry>[]) {
  const block = newBlock(entries[0] as ReturnType<typeof entry>);
  for (const one of entries) assert.ok(addEntry(block, one));
  return block;
}
const sealed = (block: ReturnType<typeof blockOf>) => ({ ...block, ...encodeBlock(block) });

describe('a block of the index', () => {
  it('is the same after it was stored', () => {
    const block = blockOf(entry(5, ['a', '@x']), entry(9, ['b']), entry(100_000_000_000, ['a', '會議'], NINE + 3));
    assert.deepEqual(decodeBlock(sealed(block)), block);
    assert.equal(block.to, 100_000_000_001);
    assert.equal(block.id, placeOf(chain, 5));
  });

  it('finds the records that hold a word of every group', () => {
    const stored = sealed(blockOf(entry(1, ['a', 'b']), entry(2, ['a', 'c']), entry(4, ['b', 'c']), entry(5, ['d'])));
    const found = (...groups: string[][]) => candidatesOf(stored, groups).map(one => Number(one.place.slice(-14)));
    assert.deepEqual(found(), [1, 2, 4, 5]);
    assert.deepEqual(found(['a']), [1, 2]);
    assert.deepEqual(found(['a'], ['b']), [1]);
    assert.deepEqual(found(['a', 'd'], ['c', 'd']), [2, 5]);
    assert.deepEqual(found(['a', 'a'], ['a']), [1, 2]);
    assert.deepEqual(found(['nobody']), []);
    assert.deepEqual(candidatesOf(stored, [['d']])[0]?.timeMs, NINE + 5);
  });

  it('knows the conversation of each record', () => {
    const [one, two] = [conversationToken('d_1'), conversationToken('d_2')];
    const stored = sealed(blockOf(entry(1, [one]), entry(2, [two, '@x']), entry(3, [one, '#'])));
    assert.deepEqual(
      [...conversationsOf(stored)],
      [
        [1, one],
        [3, one],
        [2, two],
      ],
    );
  });

  it('takes so many records and words and no more', () => {
    const block = blockOf(entry(0, ['a']));
    for (let i = 1; i < MOST_RECORDS; i++) assert.ok(addEntry(block, entry(i, ['a'])));
    assert.equal(addEntry(block, entry(MOST_RECORDS, ['a'])), false);
    const wide = blockOf(
      entry(
        0,
        Array.from({ length: 5_000 }, (_, i) => `w${i}`),
      ),
    );
    const more = entry(
      1,
      Array.from({ length: 5_000 }, (_, i) => `v${i}`),
    );
    assert.equal(addEntry(wide, more), false);
    assert.equal(wide.offsets.length, 1);
  });

  it('looks at a record with too many words whatever is asked for', () => {
    const words = Array.from({ length: 7_000 }, (_, i) => `w${i}`);
    const block = blockOf(entry(0, ['@x', '#c', ...words]));
    assert.deepEqual([...block.postings.keys()], ['@x', '#c', ANY_WORD]);
  });

  it('says so when it was damaged', () => {
    const stored = sealed(blockOf(entry(1, ['a'])));
    assert.throws(() => candidatesOf({ ...stored, data: stored.data.slice(0, -1) }, [['a']]), /cut short/);
  });

  it('lies within one slot, and a slot within one day', () => {
    assert.equal(slotEnd(0), SLOT_MS);
    assert.equal(slotEnd(SLOT_MS - 1), SLOT_MS);
    assert.equal(slotEnd(SLOT_MS), 2 * SLOT_MS);
    assert.equal(DAY_MS % SLOT_MS, 0);
    for (const nonsense of [-1, Number.NaN, 1e30, 0.5]) assert.equal(indexTime(nonsense), 0);
  });
});
