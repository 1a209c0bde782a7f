import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { createLoop } from './loop.ts';

function setUp(options: { everyMs?: number | (() => number) } = {}) {
  const clock = new ManualClock();
  const turns: { readonly at: number; readonly signal: AbortSignal; end(): void }[] = [];
  const loop = createLoop({
    clock,
    everyMs: options.everyMs ?? 100,
    turn: signal => {
      const { promise, resolve } = Promise.withResolvers<void>();
      turns.push({ at: clock.monotonic(), signal, end: resolve });
      return promise;
    },
  });
  const endLast = async () => {
    turns.at(-1)?.end();
    await clock.advance(0);
  };
  return { clock, turns, loop, endLast, times: () => turns.map(({ at }) => at) };
}

describe('a loop', () => {
  it('stands still until it is started, and waits from the end of one turn to the next', async () => {
    const { clock, loop, endLast, times } = setUp();
    await clock.advance(500);
    loop.kick();
    await clock.advance(500);
    assert.deepEqual(times(), []);
    loop.start();
    loop.start();
    await clock.advance(130);
    assert.deepEqual(times(), [1100]);
    await clock.advance(1_000);
    assert.deepEqual(times(), [1100], 'one turn at a time');
    await endLast();
    await clock.advance(100);
    assert.deepEqual(times(), [1100, 2230]);
  });

  it('begins after another time when told so, and asks for the time after each turn', async () => {
    let everyMs = 100;
    const { clock, loop, endLast, times } = setUp({ everyMs: () => everyMs });
    loop.start(0);
    await clock.advance(0);
    everyMs = 20;
    await endLast();
    await clock.advance(20);
    assert.deepEqual(times(), [0, 20]);
  });

  it('has a turn at once when it is kicked, and one more when that happens during a turn', async () => {
    const { clock, loop, endLast, times } = setUp();
    loop.start();
    loop.kick();
    await clock.advance(0);
    assert.deepEqual(times(), [0]);
    loop.kick();
    loop.kick();
    await clock.advance(50);
    assert.deepEqual(times(), [0]);
    await endLast();
    assert.deepEqual(times(), [0, 50]);
    await endLast();
    await clock.advance(99);
    assert.deepEqual(times(), [0, 50]);
  });

  it('has a turn soon when it is kicked with a time, and none later than it would have been', async () => {
    const { clock, loop, endLast, times } = setUp();
    loop.start();
    loop.kick(30);
    loop.kick(80);
    await clock.advance(30);
    assert.deepEqual(times(), [30]);
    loop.kick(500);
    loop.kick(40);
    await endLast();
    await clock.advance(40);
    assert.deepEqual(times(), [30, 70]);
    loop.kick(500);
    await endLast();
    await clock.advance(100);
    assert.deepEqual(times(), [30, 70, 170]);
  });

  it('has no turn after it was stopped, and stops when the turn under way is over', async () => {
    const { clock, turns, loop, endLast, times } = setUp();
    loop.start(0);
    await clock.advance(0);
    loop.kick();
    let stopped = false;
    const stop = loop.stop().then(() => (stopped = true));
    await clock.advance(0);
    assert.equal(turns[0]?.signal.aborted, true);
    assert.equal(stopped, false);
    await endLast();
    await stop;
    loop.kick();
    await clock.advance(1_000);
    assert.deepEqual(times(), [0]);
    loop.start(10);
    await clock.advance(10);
    assert.deepEqual(times(), [0, 1010]);
    assert.equal(turns[1]?.signal.aborted, false);
    await endLast();
    await loop.stop();
  });

  it('never has two turns at once, started anew during one or not', async () => {
    const { clock, turns, loop, times } = setUp();
    loop.start(0);
    await clock.advance(0);
    void loop.stop();
    loop.start(10);
    await clock.advance(1_000);
    assert.deepEqual(times(), [0]);
    turns[0]?.end();
    await clock.advance(10);
    assert.deepEqual(times(), [0, 1010]);
    let stopped = false;
    const stop = loop.stop().then(() => (stopped = true));
    await clock.advance(0);
    assert.equal(stopped, false, 'it waits for the turn of the second start');
    turns[1]?.end();
    await stop;
  });

  it('may have turns that are over at once', async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const loop = createLoop({ clock, everyMs: 10, turn: () => void times.push(clock.monotonic()) });
    loop.start(0);
    await clock.advance(25);
    await loop.stop();
    await clock.advance(25);
    assert.deepEqual(times, [0, 10, 20]);
  });
});
