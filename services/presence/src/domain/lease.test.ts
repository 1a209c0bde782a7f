import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLive, nextStep, release, renew } from './lease.ts';

const T = { recheckMs: 30_000, keepEndedMs: 900_000 };

describe('a lease', () => {
  it('lives until its end', () => {
    const lease = renew(undefined, 'pod', 1000, 5000);
    assert.deepEqual(lease, { _id: 'pod', v: 1, expiresAt: 6000, dueAt: 6000 });
    assert.equal(isLive(lease, 5999), true);
    assert.equal(isLive(lease, 6000), false);
    assert.equal(isLive(undefined, 0), false);
  });

  it('is claimed when it has lapsed, looked at again, and forgotten in the end', () => {
    const lease = renew(undefined, 'pod', 1000, 5000);
    const first = nextStep(lease, 7000, T);
    assert.ok(first.do === 'end');
    assert.equal(first.endedAt, 6000);
    assert.deepEqual(first.claimed, { ...lease, ended: true, dueAt: 37_000 });
    assert.equal(nextStep(first.claimed, 6000 + 899_999, T).do, 'end');
    assert.equal(nextStep(first.claimed, 6000 + 900_000, T).do, 'forget');
  });

  it('lives again when it is renewed after that', () => {
    const ended = { ...renew(undefined, 'pod', 1000, 5000), ended: true, _rev: 4 };
    assert.deepEqual(renew(ended, 'pod', 9000, 5000), { _id: 'pod', _rev: 4, v: 1, expiresAt: 14_000, dueAt: 14_000 });
  });

  it('ends at once when it is released, and not later than it would have', () => {
    const lease = renew(undefined, 'pod', 1000, 5000);
    assert.equal(release(lease, 'pod', 2000).expiresAt, 2000);
    assert.equal(release(lease, 'pod', 9000), lease);
    assert.deepEqual(release(undefined, 'pod', 2000), { _id: 'pod', v: 1, expiresAt: 2000, dueAt: 2000 });
  });
});
