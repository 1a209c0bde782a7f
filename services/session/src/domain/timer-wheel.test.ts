import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from './timer-wheel.ts';

describe('the timer wheel', () => {
  function visits(wheel: TimerWheel, to: number): string[] {
    const seen: string[] = [];
    wheel.advance(to, slot => seen.push(`${wheel.tick}:${slot}`));
    return seen;
  }

  it('visits each slot once, at its tick', () => {
    const wheel = new TimerWheel(16, 1);
    wheel.schedule(0, 3);
    wheel.schedule(5, 2);
    wheel.schedule(6, 3);
    assert.deepEqual(visits(wheel, 2), ['2:5']);
    assert.deepEqual(visits(wheel, 10).sort(), ['3:0', '3:6']);
    assert.deepEqual(visits(wheel, 40), []);
  });

  it('never visits in the past: what is overdue comes at the next tick', () => {
    const wheel = new TimerWheel(16);
    visits(wheel, 5);
    wheel.schedule(1, -100);
    assert.deepEqual(visits(wheel, 6), ['6:1']);
  });

  it('moves and forgets what is scheduled again or cancelled', () => {
    const wheel = new TimerWheel(16);
    for (const slot of [1, 2, 3]) wheel.schedule(slot, 4);
    wheel.schedule(2, 6);
    wheel.cancel(3);
    wheel.cancel(9);
    assert.deepEqual(visits(wheel, 20), ['4:1', '6:2']);
  });

  it('visits early what lies beyond a turn', () => {
    const wheel = new TimerWheel(16);
    wheel.schedule(1, 1_000);
    assert.deepEqual(visits(wheel, 20), ['15:1']);
  });

  it('lets a visitor schedule the slot again', () => {
    const wheel = new TimerWheel(16);
    const seen: number[] = [];
    wheel.schedule(1, 1);
    wheel.advance(9, slot => {
      seen.push(wheel.tick);
      wheel.schedule(slot, wheel.tick + 4);
    });
    assert.deepEqual(seen, [1, 5, 9]);
  });
});
