import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CountingOutlet, createHubWorld } from '../testing/hub-world.ts';

const SESSIONS = 10_000;
const WATCHES = 80;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function used(): number {
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('the memory of the hub', () => {
  it('is under 6 KB for each of 10,000 sessions that watch 80 people, the people included', t => {
    const outlets = Array.from({ length: SESSIONS }, () => new CountingOutlet());
    const before = used();
    const world = createHubWorld();
    outlets.forEach((outlet, n) => {
      world.add(
        n,
        Array.from({ length: WATCHES }, (_, k) => `person-${(n + k + 1) % SESSIONS}`),
        outlet,
      );
    });
    world.rest();
    const each = (used() - before) / SESSIONS;
    t.diagnostic(`${(each / 1024).toFixed(2)} KB a session`);
    assert.equal(world.board.sizes.watches, SESSIONS * WATCHES);
    assert.equal(world.board.sizes.views, SESSIONS);
    assert.ok(world.board.sizes.bytes / SESSIONS <= WATCHES * 25, `${world.board.sizes.bytes} bytes of watches`);
    assert.ok(each < 6 * 1024, `${each} bytes a session`);
  });

  it('is given back when sessions end', () => {
    const world = createHubWorld();
    const sessions = Array.from({ length: 100 }, (_, n) => world.add(n, ['a', 'b', 'c'], new CountingOutlet()));
    for (const session of sessions) world.hub.end(session, 'client_gone');
    world.rest();
    assert.deepEqual([world.hub.count, world.board.sizes.watches, world.board.sizes.views], [0, 0, 0]);
  });
});
