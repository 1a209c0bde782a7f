import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { refusal } from '../../testing/harness.ts';
import { createPasswordHasher } from './password-hasher.ts';

const cheap = { memoryKiB: 8, passes: 1, parallelism: 1 };

function hasher(options: { concurrency?: number; queue?: number; cost?: typeof cheap } = {}) {
  const seen = { hashes: 0, mostWaiting: 0 };
  const events = {
    passwordHashed: () => void seen.hashes++,
    hashesWaiting: (count: number) => void (seen.mostWaiting = Math.max(seen.mostWaiting, count)),
  };
  const { concurrency = 2, queue = 64, cost = cheap } = options;
  return { ...createPasswordHasher({ cost, concurrency, queue, clock: systemClock, ids: systemIds, events }), seen };
}

describe('hashing passwords', () => {
  it('accepts the password and nothing else', async () => {
    const h = hasher();
    const stored = await h.hash('correct horse battery');
    assert.match(stored, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
    assert.ok(await h.verify('correct horse battery', stored));
    assert.ok(!(await h.verify('correct horse batterx', stored)));
    assert.notEqual(await h.hash('correct horse battery'), stored);
  });

  it('hashes also when nothing is stored, and refuses', async () => {
    const h = hasher();
    for (const nothing of [null, undefined, '', 'not a hash']) assert.equal(await h.verify('any', nothing), false);
    assert.equal(h.seen.hashes, 4);
  });

  it('verifies at the cost of the stored hash and says when that is not the present one', async () => {
    const old = await hasher().hash('correct horse battery');
    const now = hasher({ cost: { ...cheap, passes: 2 } });
    assert.ok(await now.verify('correct horse battery', old));
    assert.ok(now.isOutdated(old));
    assert.ok(!now.isOutdated(await now.hash('x')));
  });

  it('lets a few run, some wait and refuses the rest with a time to wait', async () => {
    const h = hasher({ concurrency: 1, queue: 2 });
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => h.verify('x', undefined)));
    assert.deepEqual(
      all.map(r => r.status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    );
    const refused = all[4] as PromiseRejectedResult;
    assert.ok(refusal('directory.sign_in_busy')(refused.reason));
    assert.ok((refused.reason as { retryAfterMs: number }).retryAfterMs > 0);
    assert.equal(h.seen.mostWaiting, 2);
    assert.ok(await h.verify('x', await h.hash('x')), 'works again afterwards');
  });

  it('forgets who gave up waiting', async () => {
    const h = hasher({ concurrency: 1, queue: 1 });
    const abort = new AbortController();
    const running = h.verify('x', undefined);
    const waiting = h.verify('x', undefined, abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    const second = h.verify('x', undefined);
    await Promise.all([running, second]);
    assert.equal(h.seen.hashes, 2);
  });
});
