import type { Clock } from '@parley/runtime';
import type { BusMessage } from '../../bus.ts';

/**
 * What the memory bus does wrong on demand; change the fields at any time. A message that is held back holds back what
 * follows on its subject, because order per subject is promised even then.
 */
export interface BusFaults {
  /** True loses the message. */
  drop?: ((message: BusMessage) => boolean) | undefined;
  /** Milliseconds to hold the message back; 0 for none. */
  delay?: ((message: BusMessage) => number) | undefined;
  /** True delivers the message twice. */
  duplicate?: ((message: BusMessage) => boolean) | undefined;
}

/** Holds messages back, in order per subject. */
export interface DelayLine<T> {
  /** True when it took the entry and will release it later. */
  take(subject: string, delayMs: number, entry: T): boolean;
  /** Releases everything at once. */
  releaseAll(): void;
}

/** A delay line on `clock`; `release` gets each entry when its time has come. */
export function createDelayLine<T>(clock: Clock, release: (entry: T) => void): DelayLine<T> {
  const lanes = new Map<string, { readonly at: number; readonly entry: T }[]>();

  const pump = (subject: string) => {
    const lane = lanes.get(subject);
    if (lane === undefined) return;
    for (let head = lane[0]; head !== undefined; head = lane[0]) {
      const wait = head.at - clock.monotonic();
      if (wait > 0) {
        clock.timer(wait, () => pump(subject));
        return;
      }
      lane.shift();
      release(head.entry);
    }
    lanes.delete(subject);
  };

  return {
    take(subject, delayMs, entry) {
      const lane = lanes.get(subject);
      if (lane !== undefined) {
        lane.push({ at: clock.monotonic() + delayMs, entry });
        return true;
      }
      if (delayMs <= 0) return false;
      lanes.set(subject, [{ at: clock.monotonic() + delayMs, entry }]);
      clock.timer(delayMs, () => pump(subject));
      return true;
    },
    releaseAll() {
      for (const lane of lanes.values()) for (const { entry } of lane) release(entry);
      lanes.clear();
    },
  };
}
