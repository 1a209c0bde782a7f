import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MachineState } from '@parley/client';
import { createActivity } from './activity.ts';

const MINUTE = 60_000;

function fixture() {
  let now = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  const reported: [minute: number, state: MachineState][] = [];
  const env = {
    now: () => now,
    after(ms: number, callback: () => void) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => void (timers = timers.filter(one => one !== timer));
    },
  };
  const activity = createActivity(env, state => void reported.push([now / MINUTE, state]));
  const advance = (minutes: number) => {
    const until = now + minutes * MINUTE;
    for (;;) {
      const next = timers.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers = timers.filter(timer => timer !== next);
      now = next.at;
      next.callback();
    }
    now = until;
  };
  return { activity, reported, advance, input: () => activity.input(now) };
}

describe('what a person does at a device', () => {
  it('becomes inactive after five minutes without input in any tab, and away after ten', () => {
    const { reported, advance, input } = fixture();
    advance(60);
    assert.deepEqual(reported, [
      [5, MachineState.INACTIVE],
      [10, MachineState.AWAY],
    ]);
    input();
    assert.deepEqual(reported.at(-1), [60, MachineState.ACTIVE]);
  });

  it('is told again while it lasts, because the server takes silence for inactivity', () => {
    const { reported, advance, input } = fixture();
    for (let i = 0; i < 30; i++) {
      advance(0.5);
      input();
    }
    assert.equal(reported.length, 7);
    assert.ok(reported.every(([, state]) => state === MachineState.ACTIVE));
  });

  it('does not believe a tab whose clock is ahead', () => {
    const { activity, reported, advance } = fixture();
    activity.input(60 * MINUTE);
    advance(6);
    assert.deepEqual(reported, [[5, MachineState.INACTIVE]]);
  });
});
