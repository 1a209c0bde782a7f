import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Clock } from './clock.ts';
import { createMetrics } from './create-metrics.ts';
import { createFollowingClock, type FollowingClock } from './following-clock.ts';
import type { Logger } from './logger.ts';

const HOUR = 3_600_000;
/** True time, and how far the machine's clock and the source's are ahead of it. */
let time: number;
let machineAhead: number;
let sourceAhead: number;
let takesMs: number;
let away: boolean;
let due: { at: number; fn: () => void }[];
let told: string[];
let clock: FollowingClock;

const log = (event: string) => void told.push(event);
const logger = { debug: log, info: log, warn: log, error: log, child: () => logger } as unknown as Logger;
const metrics = createMetrics({ defaults: false });

const source = async () => {
  const at = time + sourceAhead;
  time += takesMs;
  if (away) throw new Error('away');
  return at + takesMs / 2;
};

/** Lets time pass, and everything that is due happen. */
async function pass(ms: number): Promise<void> {
  const end = time + ms;
  for (;;) {
    const next = due.filter(entry => entry.at <= end).sort((a, b) => a.at - b.at)[0];
    if (!next) break;
    due = due.filter(entry => entry !== next);
    time = Math.max(time, next.at);
    next.fn();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
  time = Math.max(time, end);
}

beforeEach(() => {
  time = HOUR;
  machineAhead = 0;
  sourceAhead = 0;
  takesMs = 0;
  away = false;
  due = [];
  told = [];
  const machine: Clock = {
    now: () => time + machineAhead,
    monotonic: () => time - HOUR,
    timer(ms, fn) {
      const entry = { at: time + ms, fn };
      due.push(entry);
      return { cancel: () => void (due = due.filter(other => other !== entry)) };
    },
    sleep: async () => undefined,
  };
  clock = createFollowingClock(machine);
});

describe('a clock that follows another one', () => {
  it("is the machine's until then", async () => {
    machineAhead = 5_000;
    assert.equal(clock.now(), time + 5_000);
    await clock.follow({ source, logger, metrics });
    assert.equal(clock.now(), time);
  });

  it("shows the other's time when the machine's is wrong, and says so once", async () => {
    machineAhead = -300_000;
    await clock.follow({ source, logger, metrics });
    assert.equal(clock.now(), time);
    await pass(60_000);
    assert.equal(clock.now(), time);
    assert.deepEqual(told, ['runtime.clock.off']);
    assert.match(await metrics.render(), /^parley_clock_ahead_seconds -300$/m);
    machineAhead = 0;
    await pass(20_000);
    assert.deepEqual(told, ['runtime.clock.off', 'runtime.clock.right_again']);
  });

  it("does not jump when the machine's clock is set, not even before the next measurement", async () => {
    await clock.follow({ source, logger, metrics });
    machineAhead = 300_000;
    assert.equal(clock.now(), time);
  });

  it('trusts measurements that took little time more than others', async () => {
    await clock.follow({ source, logger, metrics });
    takesMs = 400;
    sourceAhead = 100; // within what so slow an answer can be wrong
    await pass(10_000);
    assert.equal(clock.now(), time);
  });

  it('follows when the other clock is set', async () => {
    await clock.follow({ source, logger, metrics });
    sourceAhead = -HOUR;
    await pass(10_000);
    assert.equal(clock.now(), time - HOUR);
  });

  it('goes on by itself while the other does not answer, and does not begin without an answer', async () => {
    const module = await clock.follow({ source, logger, metrics });
    away = true;
    await pass(600_000);
    assert.equal(clock.now(), time);
    assert.equal(due.length, 1, 'it goes on trying');
    await module.stop();
    assert.equal(due.length, 0);
    await assert.rejects(clock.follow({ source, logger, metrics }), /away/);
  });
});
