import type { Clock, Timer } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Module } from './module.ts';

/** What {@link FollowingClock.follow} needs. */
export interface FollowOptions {
  /** The time to follow, milliseconds since 1970-01-01 UTC; may fail now and then. */
  readonly source: () => Promise<number>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Time between two measurements, milliseconds; default 10,000. */
  readonly everyMs?: number;
}

/**
 * The machine's clock until it follows another one. From then on its `now` is that one's, whatever the machine's clock
 * says or is set to: processes that follow the same clock agree on what has ended and what comes first.
 */
export interface FollowingClock extends Clock {
  /**
   * Measures the distance to the source and begins to follow it. Rejects when the first measurement fails. Later
   * failures change nothing: the monotonic clock goes on. The module measures again and again; it need not be started.
   */
  follow(options: FollowOptions): Promise<Module>;
}

interface Sample {
  readonly offsetMs: number;
  readonly errorMs: number;
}

const FIRST = 3;
const KEPT = 8;
/** Measurements that took longer say too little, milliseconds. */
const MOST_ERROR_MS = 1_000;
/** Clocks drift, and sources answer in whole milliseconds. */
const SLACK_MS = 50;
/** A machine's clock that is further off is worth a word, milliseconds. */
const TOLD_MS = 2_000;

/** See {@link FollowingClock}. */
export function createFollowingClock(machine: Clock): FollowingClock {
  /** What to add to the monotonic clock; undefined until something is followed. */
  let offsetMs: number | undefined;

  const now = () => (offsetMs === undefined ? machine.now() : Math.floor(machine.monotonic() + offsetMs));

  async function measure(source: () => Promise<number>): Promise<Sample> {
    const sentAt = machine.monotonic();
    const theirs = await source();
    const half = (machine.monotonic() - sentAt) / 2;
    return { offsetMs: theirs - (sentAt + half), errorMs: half };
  }

  return {
    now,
    monotonic: () => machine.monotonic(),
    timer: (ms, fn) => machine.timer(ms, fn),
    sleep: (ms, signal) => machine.sleep(ms, signal),

    async follow({ source, logger, metrics, everyMs = 10_000 }) {
      const gauge = metrics.gauge({
        name: 'parley_clock_ahead_seconds',
        help: "How far the machine's clock is ahead of the database's, by which everything is decided, seconds.",
      });
      let samples: readonly Sample[] = [];
      let timer: Timer | undefined;
      let stopped = false;
      let told = false;

      const take = (sample: Sample) => {
        if (sample.errorMs > MOST_ERROR_MS && samples.length > 0) return;
        samples = [...samples, sample].slice(-KEPT);
        offsetMs = best(samples).offsetMs;
        const aheadMs = machine.now() - now();
        gauge.set(aheadMs / 1000);
        const off = Math.abs(aheadMs) > TOLD_MS;
        if (off && !told)
          logger.warn('runtime.clock.off', {
            aheadMs: Math.round(aheadMs),
            remedy: "set the machine's clock and keep it synchronised; until then the database's time is used",
          });
        else if (!off && told) logger.info('runtime.clock.right_again', { aheadMs: Math.round(aheadMs) });
        told = off;
      };
      const again = () => {
        if (stopped) return;
        timer = machine.timer(
          everyMs,
          () =>
            void measure(source)
              .then(take, () => undefined)
              .then(again),
        );
      };

      for (let i = 0; i < FIRST; i++) take(await measure(source));
      again();
      return {
        name: 'clock',
        start: async () => undefined,
        async stop() {
          stopped = true;
          timer?.cancel();
        },
      };
    },
  };
}

/** The sample with the least error; the newest one when it contradicts that: the source's clock was set. */
function best(samples: readonly Sample[]): Sample {
  const newest = samples.at(-1) as Sample;
  const least = samples.reduce((a, b) => (b.errorMs <= a.errorMs ? b : a));
  const contradicts = Math.abs(least.offsetMs - newest.offsetMs) > least.errorMs + newest.errorMs + SLACK_MS;
  return contradicts ? newest : least;
}
