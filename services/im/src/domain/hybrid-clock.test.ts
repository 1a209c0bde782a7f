import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginning, floorKey, KEY_LENGTH, keyOf, nextPlace, nodeOf, parseKey, tooFarAhead } from './hybrid-clock.ts';

const NOW = Date.UTC(2026, 0, 5);
const node = nodeOf(Buffer.from('ffeeddccbbaa', 'hex'));

describe('keys of the hybrid clock', () => {
  it('have a fixed width and sort as text in the order of time, then of the counter', () => {
    const places = [0, 1, 63, 64, NOW - 1, NOW, NOW + 1, 2 ** 41, 2 ** 48 - 1].flatMap(ms =>
      [0, 1, 63, 64, 4_095, 4_096, 2 ** 18 - 1].map(counter => ({ ms, counter })),
    );
    const keys = places.map(place => keyOf(place, node));
    assert.ok(keys.every(key => key.length === KEY_LENGTH && /^[-0-9A-Z_a-z]+$/.test(key)));
    assert.deepEqual([...keys].sort(), keys);
    assert.deepEqual(
      keys
        .map(key => Buffer.from(key))
        .sort(Buffer.compare)
        .map(String),
      keys,
    );
  });

  it('can be read back', () => {
    const place = { ms: NOW, counter: 4_711 };
    assert.deepEqual(parseKey(keyOf(place, node)), place);
  });

  it('are told from anything else', () => {
    const key = keyOf({ ms: NOW, counter: 1 }, node);
    for (const bad of ['', key.slice(1), `${key}a`, `${key.slice(0, -1)}.`, `${key.slice(0, -1)}é`])
      assert.equal(parseKey(bad), undefined, bad);
  });

  it('differ between processes by 42 random bits', () => {
    assert.equal(nodeOf(new Uint8Array(6)), '-------');
    assert.equal(nodeOf(new Uint8Array(6).fill(255)), 'zzzzzzz');
    assert.notEqual(nodeOf(Buffer.from('000000000010', 'hex')), nodeOf(Buffer.from('000000000040', 'hex')));
  });

  it('have a floor below every key of its millisecond and above every key before it', () => {
    const before = keyOf({ ms: NOW - 1, counter: 2 ** 18 - 1 }, 'zzzzzzz');
    assert.ok(before < floorKey(NOW));
    assert.ok(floorKey(NOW) <= keyOf({ ms: NOW, counter: 0 }, '-------'));
  });
});

describe('the next place', () => {
  it('follows the physical clock when that has moved', () => {
    assert.deepEqual(nextPlace(beginning, NOW, undefined), { ms: NOW, counter: 0 });
    assert.deepEqual(nextPlace({ ms: NOW - 5, counter: 9 }, NOW, undefined), { ms: NOW, counter: 0 });
  });

  it('counts on when it stands still or goes back', () => {
    assert.deepEqual(nextPlace({ ms: NOW, counter: 9 }, NOW, undefined), { ms: NOW, counter: 10 });
    assert.deepEqual(nextPlace({ ms: NOW, counter: 9 }, NOW - 100, undefined), { ms: NOW, counter: 10 });
  });

  it('lies after what the author has seen', () => {
    assert.deepEqual(nextPlace({ ms: NOW, counter: 9 }, NOW, { ms: NOW, counter: 20 }), { ms: NOW, counter: 21 });
    assert.deepEqual(nextPlace({ ms: NOW, counter: 9 }, NOW, { ms: NOW + 3, counter: 2 }), { ms: NOW + 3, counter: 3 });
    assert.deepEqual(nextPlace({ ms: NOW, counter: 9 }, NOW, { ms: NOW - 3, counter: 70 }), { ms: NOW, counter: 10 });
  });

  it('goes on to the next millisecond when the counter is full', () => {
    assert.deepEqual(nextPlace({ ms: NOW, counter: 2 ** 18 - 1 }, NOW, undefined), { ms: NOW + 1, counter: 0 });
  });

  it('is never the same twice, whatever the clocks do', () => {
    let place = beginning;
    let last = '';
    for (let i = 0; i < 2_000; i++) {
      const physical = NOW + ((i * 7919) % 13) - 6;
      const seen = i % 5 === 0 ? { ms: NOW + (i % 11), counter: (i * 31) % 1_000 } : undefined;
      place = nextPlace(place, physical, seen);
      const key = keyOf(place, node);
      assert.ok(key > last);
      if (seen) assert.ok(key > keyOf(seen, 'zzzzzzz'));
      last = key;
    }
  });

  it('refuses to follow a key from too far ahead', () => {
    assert.equal(tooFarAhead({ ms: NOW + 10_000, counter: 0 }, NOW, 10_000), false);
    assert.equal(tooFarAhead({ ms: NOW + 10_001, counter: 0 }, NOW, 10_000), true);
  });
});
