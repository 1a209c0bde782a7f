import type { Clock, Logger, Timer } from '@parley/runtime';
import type { CheckedSpec, OrderedIndex } from './spec.ts';

/** How expired documents are removed. */
export interface SweepOptions {
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  /** How often they are looked for, milliseconds; default 60,000. */
  readonly sweepEveryMs?: number | undefined;
  /** Most documents removed by one write; default 500. */
  readonly sweepBatch?: number | undefined;
}

/** Removes at most `batch` documents whose time is over at `now`; resolves with their number. */
type RemoveDue = (spec: CheckedSpec, index: OrderedIndex, now: number, batch: number) => Promise<number>;

/** Garbage collection of every watched collection with an expiring index. */
export interface Sweeper {
  watch(spec: CheckedSpec): void;
  stop(): void;
}

/** Most batches of one index in one round: the rest waits, so that a sweep never crowds out other writes for long. */
const MOST_BATCHES = 100;

/** Makes a sweeper; it has a timer only while there is something to watch. */
export function createSweeper(options: SweepOptions, removeDue: RemoveDue): Sweeper {
  const { clock, logger, sweepEveryMs = 60_000, sweepBatch = 500 } = options;
  const watched = new Map<string, CheckedSpec>();
  let timer: Timer | undefined;
  let stopped = false;

  const arm = () => {
    timer = clock.timer(sweepEveryMs, () => void sweep());
  };

  async function sweep(): Promise<void> {
    for (const spec of watched.values()) {
      for (const index of spec.ordered) {
        if (!index.expiring || stopped) continue;
        try {
          for (let i = 0; i < MOST_BATCHES && !stopped; i++)
            if ((await removeDue(spec, index, clock.now(), sweepBatch)) < sweepBatch) break;
        } catch (error) {
          if (!stopped) logger?.warn('store.sweep.failed', { collection: spec.name, reason: String(error) });
        }
      }
    }
    if (!stopped) arm();
  }

  return {
    watch(spec) {
      if (stopped || !spec.ordered.some(i => i.expiring)) return;
      watched.set(spec.name, spec);
      if (!timer) arm();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
