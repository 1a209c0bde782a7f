import { type Clock, createLoop, type Logger } from '@parley/runtime';
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
  let stopped = false;
  const loop = createLoop({ clock, everyMs: sweepEveryMs, turn: sweep });

  async function sweep(signal: AbortSignal): Promise<void> {
    for (const spec of watched.values()) {
      for (const index of spec.ordered) {
        if (!index.expiring || signal.aborted) continue;
        try {
          for (let i = 0; i < MOST_BATCHES && !signal.aborted; i++)
            if ((await removeDue(spec, index, clock.now(), sweepBatch)) < sweepBatch) break;
        } catch (error) {
          if (!signal.aborted) logger?.warn('store.sweep.failed', { collection: spec.name, reason: String(error) });
        }
      }
    }
  }

  return {
    watch(spec) {
      if (stopped || !spec.ordered.some(i => i.expiring)) return;
      watched.set(spec.name, spec);
      loop.start();
    },
    stop() {
      stopped = true;
      void loop.stop();
    },
  };
}
