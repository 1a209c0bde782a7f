import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createLogger, createMetrics } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { createTelemetry } from '../events.ts';
import { StoreClock } from './store-clock.ts';

const AHEAD = 5_000;
let clock: ManualClock;
/** How the store answers; a number is milliseconds it takes. */
let answers: 'away' | number;
let setBy: number;
let time: StoreClock;

beforeEach(() => {
  clock = new ManualClock();
  answers = 0;
  setBy = AHEAD;
  time = new StoreClock({
    clock,
    settings: { clockSampleMs: 30_000, clockMaxRoundTripMs: 2_000, clockStaleMs: 300_000 },
    telemetry: createTelemetry(createLogger({ level: 'silent', service: 'im' }), createMetrics({ defaults: false })),
    source: {
      async now() {
        if (answers === 'away') throw new Error('away');
        const at = clock.now() + setBy;
        await clock.advance(answers);
        return at + answers / 2;
      },
    },
  });
});

describe("the store's time", () => {
  it('is known after the start, and the process is ready then', async () => {
    assert.equal(time.health().ok, false);
    assert.throws(() => time.nowMs(), { code: 'im.clock_unmeasured' });
    await time.start();
    assert.equal(time.health().ok, true);
    assert.equal(time.nowMs(), clock.now() + AHEAD);
    await clock.advance(1_234);
    assert.equal(time.nowMs(), clock.now() + AHEAD);
    await time.stop();
  });

  it('makes the process not ready when it cannot be measured, until it can', async () => {
    answers = 'away';
    await time.start();
    assert.equal(time.health().ok, false);
    answers = 0;
    await clock.advance(1_000);
    assert.equal(time.health().ok, true);
    await time.stop();
  });

  it('is a guess no longer allowed after five minutes without a measurement', async () => {
    await time.start();
    answers = 'away';
    await clock.advance(299_000);
    assert.equal(time.nowMs(), clock.now() + AHEAD);
    await clock.advance(2_000);
    assert.throws(() => time.nowMs(), { code: 'im.clock_unmeasured' });
    assert.equal(time.health().ok, false);
    await time.stop();
  });

  it('is not taken from an answer that was on its way too long', async () => {
    answers = 3_000;
    await time.start();
    assert.equal(time.health().ok, false);
    await time.stop();
  });

  it("follows when the store's clock is set", async () => {
    await time.start();
    setBy = -60_000;
    await clock.advance(30_000);
    assert.equal(time.nowMs(), clock.now() - 60_000);
    await time.stop();
  });
});
