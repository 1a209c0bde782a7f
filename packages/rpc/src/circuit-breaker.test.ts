import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { CircuitBreaker } from './circuit-breaker.ts';
import { RetryBudget } from './retry-budget.ts';

function setUp(options: { failures?: number; openMs?: number } = {}) {
  const clock = new ManualClock();
  const changes: boolean[] = [];
  const breaker = new CircuitBreaker({ clock, ...options, onChange: open => changes.push(open) });
  const fail = (n: number) => {
    for (let i = 0; i < n; i++) breaker.failed(breaker.begin());
  };
  const succeed = (n: number) => {
    for (let i = 0; i < n; i++) breaker.succeeded();
  };
  return { clock, breaker, changes, fail, succeed };
}

describe('a circuit breaker', () => {
  it('opens after so many failures', () => {
    const { breaker, changes, fail } = setUp({ failures: 3 });
    fail(2);
    assert.equal(breaker.waitMs, 0);
    fail(1);
    assert.equal(breaker.waitMs, 1000);
    assert.deepEqual(changes, [true]);
  });

  it('stays closed while more than half of the calls are answered', () => {
    const { breaker, fail, succeed } = setUp({ failures: 3 });
    succeed(20);
    fail(19);
    assert.equal(breaker.open, false);
    fail(1);
    assert.equal(breaker.open, true);
  });

  it('forgets what is older than ten seconds', async () => {
    const { clock, breaker, fail } = setUp({ failures: 3 });
    fail(2);
    await clock.advance(6000);
    fail(0);
    breaker.succeeded();
    await clock.advance(6000);
    fail(2);
    assert.equal(breaker.open, false);
    fail(1);
    assert.equal(breaker.open, true);
  });

  it('lets one call try after a while, and closes when it is answered', async () => {
    const { clock, breaker, changes, fail } = setUp({ failures: 1 });
    fail(1);
    await clock.advance(1000);
    assert.equal(breaker.waitMs, 0);
    breaker.begin();
    assert.equal(breaker.waitMs, 1000, 'others wait for the one that tries');
    breaker.succeeded();
    assert.equal(breaker.waitMs, 0);
    assert.deepEqual(changes, [true, false]);
  });

  it('stays open twice as long after every trial that fails, up to a limit', async () => {
    const { clock, breaker, changes, fail } = setUp({ failures: 1, openMs: 100 });
    fail(1);
    for (const expected of [200, 400, 800, 1000, 1000]) {
      await clock.advance(breaker.waitMs);
      breaker.failed(breaker.begin());
      assert.equal(breaker.waitMs, expected);
    }
    assert.deepEqual(changes, [true]);
  });

  it('learns nothing from failures of calls that began before it opened', async () => {
    const { clock, breaker, fail } = setUp({ failures: 2, openMs: 100 });
    const early = breaker.begin();
    fail(2);
    await clock.advance(100);
    const trial = breaker.begin();
    breaker.failed(early);
    assert.equal(breaker.waitMs, 100, 'the trial goes on');
    breaker.failed(trial);
    assert.equal(breaker.waitMs, 200);
  });

  it('may be tried before its time by a call that has waited elsewhere, one at a time', () => {
    const { breaker, fail } = setUp({ failures: 1, openMs: 100 });
    assert.equal(breaker.trying, false);
    fail(1);
    assert.equal(breaker.trying, false);
    const early = breaker.begin();
    assert.equal(breaker.trying, true);
    breaker.failed(early);
    assert.deepEqual([breaker.trying, breaker.waitMs], [false, 200]);
    breaker.begin();
    breaker.succeeded();
    assert.deepEqual([breaker.open, breaker.waitMs], [false, 0]);
  });

  it('lets another call try when the one that tried was given up', async () => {
    const { clock, breaker, fail } = setUp({ failures: 1, openMs: 100 });
    fail(1);
    await clock.advance(100);
    breaker.abandoned(breaker.begin());
    assert.equal(breaker.waitMs, 0);
  });
});

describe('a budget of repetitions', () => {
  it('allows a few at once, and then every tenth call', () => {
    const budget = new RetryBudget(new ManualClock(), { most: 5 });
    const spend = () => Array.from({ length: 100 }, () => budget.spend()).filter(Boolean).length;
    assert.equal(spend(), 5);
    for (let i = 0; i < 31; i++) budget.earn();
    assert.equal(spend(), 3);
    for (let i = 0; i < 1000; i++) budget.earn();
    assert.equal(spend(), 5, 'and saves no more than those few');
  });

  it('grows with time, so that whoever calls seldom has some left for the next outage', async () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(clock, { most: 5, perSecond: 2 });
    const spend = () => Array.from({ length: 100 }, () => budget.spend()).filter(Boolean).length;
    assert.equal(spend(), 5);
    await clock.advance(1_500);
    assert.equal(spend(), 3);
    await clock.advance(60_000);
    assert.equal(spend(), 5);
  });
});
