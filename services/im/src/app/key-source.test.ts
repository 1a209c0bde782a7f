import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floorKey, keyOf } from '../domain/hybrid-clock.ts';
import { createKeySource } from './key-source.ts';

describe('the source of keys', () => {
  it('goes on upwards when the time is set back, and knows what it gave out itself', () => {
    let now = 1_000_000;
    const keys = createKeySource({ nowMs: () => now }, 'abcdefg', 10_000);
    const before = keys.next('').key;
    now -= 300_000;
    const answer = keys.next(before).key;
    assert.ok(answer > before);
    assert.ok(keys.next('').key > answer);
    const forged = keyOf({ ms: 1_000_001, counter: 0 }, 'zzzzzzz');
    assert.throws(() => keys.next(forged), { code: 'im.key_in_future' });
    assert.ok(keys.next(floorKey(now + 10_000)).key > answer);
  });
});
