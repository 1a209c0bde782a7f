import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARCHIVED } from '../domain/link.ts';
import { RecentRecords } from './recent-records.ts';

const entries = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const place = `p${from + i}`;
    const content = { id: place, place, raw: new Uint8Array() };
    return { place, recordId: place, state: ARCHIVED, contentId: place, rawHash: new Uint8Array(), content };
  });
const add = (recent: RecentRecords, chain: string, from: number, to: number) =>
  recent.add(chain, to, entries(from, to));
const offsets = (recent: RecentRecords, chain: string, offset: number, limit = 100) =>
  recent.take(chain, offset, limit).map(record => record.offset);

describe('what was just archived', () => {
  it('is handed on once, in order, a part at a time', () => {
    const recent = new RecentRecords(100);
    add(recent, 'a', 5, 8);
    add(recent, 'a', 8, 10);
    assert.deepEqual(offsets(recent, 'a', 5, 2), [5, 6]);
    assert.deepEqual(offsets(recent, 'a', 5), []);
    assert.deepEqual(offsets(recent, 'a', 7), [7, 8, 9]);
    assert.deepEqual(offsets(recent, 'a', 7), []);
  });

  it('is not handed on to whoever needs something else first', () => {
    const recent = new RecentRecords(100);
    add(recent, 'a', 5, 8);
    assert.deepEqual(offsets(recent, 'a', 3), []);
    assert.deepEqual(offsets(recent, 'b', 5), []);
    assert.deepEqual(offsets(recent, 'a', 5), [5, 6, 7]);
  });

  it('begins anew after a gap', () => {
    const recent = new RecentRecords(100);
    add(recent, 'a', 5, 8);
    add(recent, 'a', 20, 22);
    assert.deepEqual(offsets(recent, 'a', 5), []);
    assert.deepEqual(offsets(recent, 'a', 20), [20, 21]);
  });

  it('is bounded over all chains, and what was read otherwise makes room', () => {
    const recent = new RecentRecords(10);
    add(recent, 'a', 0, 6);
    add(recent, 'b', 0, 6);
    assert.deepEqual(offsets(recent, 'b', 0), []);
    assert.deepEqual(offsets(recent, 'a', 6), []);
    add(recent, 'b', 6, 12);
    assert.deepEqual(offsets(recent, 'b', 6), [6, 7, 8, 9, 10, 11]);
    add(recent, 'a', 12, 30);
    assert.deepEqual(offsets(recent, 'a', 12), []);
  });
});
