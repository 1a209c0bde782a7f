import { ManualClock } from '@parley/testkit';
import { type ClientEnvironment, defaultEnvironment } from '../src/environment.ts';

/** Surroundings with a clock that stands still, jitter of one half, and ids that count. */
export interface TestEnvironment extends ClientEnvironment {
  readonly clock: ManualClock;
}

export function testEnvironment(): TestEnvironment {
  const clock = new ManualClock();
  let made = 0;
  return {
    clock,
    now: () => clock.now(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    fraction: () => 0.5,
    uuid: () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`,
    exclusive: defaultEnvironment.exclusive,
  };
}

/** Lets everything that is ready run, without moving the clock. */
export const settle = (env: TestEnvironment): Promise<void> => env.clock.advance(0);
