import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { createTokenBuckets } from './rate-limiter.ts';

describe('token buckets', () => {
  it('allow a burst, then as much as flows in, and say how long to wait', async () => {
    const clock = new ManualClock();
    const limiter = createTokenBuckets({ ratePerSecond: 10, burst: 3, clock });
    assert.deepEqual(
      [1, 2, 3].map(() => limiter.take('a')),
      [0, 0, 0],
    );
    assert.equal(limiter.take('a'), 100);
    await clock.advance(60);
    assert.equal(limiter.take('a'), 40);
    await clock.advance(40);
    assert.equal(limiter.take('a'), 0);
    await clock.advance(60_000);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limiter.take('a') === 0),
      [true, true, true, false],
    );
  });

  it('keep keys apart and charge what a call costs', () => {
    const limiter = createTokenBuckets({ ratePerSecond: 1, burst: 10, clock: new ManualClock() });
    assert.equal(limiter.take('a', 10), 0);
    assert.equal(limiter.take('a', 5), 5000);
    assert.equal(limiter.take('b', 10), 0);
    assert.ok(limiter.take('c', 11) > 0);
  });

  it('forget the keys unused for longest, not those in use', () => {
    const limiter = createTokenBuckets({ ratePerSecond: 0.001, burst: 1, clock: new ManualClock(), maxKeys: 10 });
    assert.equal(limiter.take('busy'), 0);
    assert.equal(limiter.take('idle'), 0);
    for (let i = 0; i < 100; i++) {
      limiter.take(`other-${i}`);
      assert.ok(limiter.take('busy') > 0);
    }
    assert.equal(limiter.take('idle'), 0);
  });

  it('cannot be made with limits that make no sense', () => {
    const clock = new ManualClock();
    assert.throws(() => createTokenBuckets({ ratePerSecond: 0, burst: 1, clock }));
    assert.throws(() => createTokenBuckets({ ratePerSecond: 1, burst: 0, clock }));
  });
});
