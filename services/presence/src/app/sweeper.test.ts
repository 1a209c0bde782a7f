import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger, createMetrics } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { presenceConfigSchema } from '../config.ts';
import { createEvents } from '../events.ts';
import type { Core } from './core.ts';
import { Sweeper } from './sweeper.ts';

const EVERY_MS = 1_000;
let clock: ManualClock;
let sweeper: Sweeper;
/** When somebody was looked for. */
let looks: number[];
/** When time alone changes somebody, as the store knows it. */
let nextAt: number | undefined;

beforeEach(() => {
  clock = new ManualClock();
  looks = [];
  nextAt = undefined;
  const core = {
    clock,
    time: { now: () => clock.monotonic() },
    config: presenceConfigSchema.parse({ sweepIntervalMs: EVERY_MS }),
    events: createEvents(createLogger({ level: 'silent', service: 'presence' }), createMetrics({ defaults: false })),
    ids: { fraction: () => 0 },
    leases: { due: async () => [], all: async () => [] },
    people: {
      async due() {
        looks.push(clock.monotonic());
        return [];
      },
      nextChange: async () => nextAt,
    },
  };
  sweeper = new Sweeper(core as unknown as Core);
  sweeper.start();
});

afterEach(() => sweeper.stop());

describe('the sweep', () => {
  it('is made seldom while time alone changes nobody', async () => {
    await clock.advance(15_000);
    assert.deepEqual(looks, [0, 5_000, 10_000, 15_000]);
  });

  it('is made when somebody is due, as soon as that is known', async () => {
    nextAt = 2_500;
    await clock.advance(2_500);
    assert.deepEqual(looks, [0, 2_500]);
  });

  it('is made when somebody becomes due whom this replica changed', async () => {
    await clock.advance(100);
    sweeper.changesIn(60_000);
    sweeper.changesIn(1_700);
    await clock.advance(1_700);
    assert.deepEqual(looks, [0, 1_800]);
  });

  it('is made no more often than it is to be', async () => {
    nextAt = 0;
    sweeper.changesIn(1);
    await clock.advance(3_000);
    assert.deepEqual(looks, [0, 1_000, 2_000, 3_000]);
  });

  it('is made at once when a lease is given up', async () => {
    await clock.advance(1_200);
    sweeper.leaseEnded();
    await clock.advance(0);
    assert.deepEqual(looks, [0, 1_200]);
  });
});
