import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bag, chances } from './bag.ts';

describe('the bag that faults are drawn from', () => {
  const things = Array.from({ length: 40 }, (_, i) => i);
  const drawn = (seed: number, n: number) => {
    const draw = bag(things, chances(seed));
    return Array.from({ length: n }, () => draw(() => true));
  };

  it('gives everything once before it gives anything again', () => {
    const rounds = drawn(7, 80);
    for (const round of [rounds.slice(0, 40), rounds.slice(40)])
      assert.deepEqual(
        round.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
        things,
      );
  });

  it('gives the same in the same order for the same seed, and another order for another', () => {
    assert.deepEqual(drawn(1, 40), drawn(1, 40));
    assert.notDeepEqual(drawn(1, 40), drawn(2, 40));
  });

  it('gives only what suits, keeps the rest, and nothing when nothing that is left suits', () => {
    const draw = bag([1, 2, 3], chances(1));
    assert.equal(
      draw(n => n === 2),
      2,
    );
    assert.equal(
      draw(n => n === 2),
      undefined,
    );
    assert.deepEqual([draw(() => true), draw(() => true)].toSorted(), [1, 3]);
    assert.equal(
      draw(n => n === 2),
      2,
      'it is full again',
    );
  });
});
