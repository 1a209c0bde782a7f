import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterFailure, guessesLeft, lockedForMs, noAttempts } from './attempts.ts';

const rule = { attempts: 3, windowMs: 1000, durationMs: 5000 };
const fail = (times: readonly number[]) =>
  times.reduce((state, now) => afterFailure(state, now, rule).next, noAttempts);

describe('wrong passwords', () => {
  it('lock when there are enough within the window', () => {
    const two = fail([100, 200]);
    assert.equal(guessesLeft(two, 300, rule), 1);
    assert.equal(lockedForMs(two, 300), 0);
    const third = afterFailure(two, 300, rule);
    assert.ok(third.locked);
    assert.equal(lockedForMs(third.next, 300), 5000);
    assert.equal(lockedForMs(third.next, 5299), 1);
    assert.equal(lockedForMs(third.next, 5300), 0);
  });

  it('are forgotten when the window has passed', () => {
    const state = fail([100, 200, 1100]);
    assert.equal(lockedForMs(state, 1100), 0);
    assert.equal(guessesLeft(state, 1100, rule), 2);
  });

  it('begin anew after the lock', () => {
    const state = fail([1, 2, 3]);
    assert.equal(guessesLeft(state, 5100, rule), 3);
    assert.equal(guessesLeft(afterFailure(state, 5100, rule).next, 5100, rule), 2);
  });

  it('do not make a lock longer while it lasts', () => {
    const state = fail([1, 2, 3]);
    assert.deepEqual(afterFailure(state, 4000, rule), { next: state, locked: false });
  });

  it('are kept for as long as they count', () => {
    assert.equal(fail([100]).expiresMs, 1100);
    assert.equal(fail([1, 2, 3]).expiresMs, 5003);
  });
});
