import type { Clock, Timer } from './clock.ts';

/** Work that is done again and again in the background, one turn at a time. */
export interface Loop {
  /**
   * The first turn comes after `afterMs`, by default after the usual time; never beside one that was under way when it was
   * stopped. Does nothing while it runs.
   */
  start(afterMs?: number): void;
  /**
   * The next turn comes after `withinMs` at the latest, by default at once; while one is under way, that long after its
   * end. Does nothing before `start`.
   */
  kick(withinMs?: number): void;
  /** Ends the turns and aborts the signal; resolves when the turn under way is over. May be started again. */
  stop(): Promise<void>;
}

/** What {@link createLoop} needs. */
export interface LoopOptions {
  readonly clock: Clock;
  /** From the end of a turn to the next, milliseconds; asked after each. */
  readonly everyMs: number | (() => number);
  /** One turn. Handles what goes wrong in it: what it throws is a defect, and ends the process as others do. */
  readonly turn: (signal: AbortSignal) => Promise<unknown> | void;
}

/** Makes a loop that stands still until it is started. */
export function createLoop({ clock, everyMs, turn }: LoopOptions): Loop {
  let stopping: AbortController | undefined;
  let timer: Timer | undefined;
  let running: Promise<unknown> | undefined;
  let dueAt = 0;
  let kickedMs = Number.POSITIVE_INFINITY;
  const usual = () => (typeof everyMs === 'number' ? everyMs : everyMs());

  function arm(ms: number): void {
    timer?.cancel();
    dueAt = clock.monotonic() + ms;
    timer = clock.timer(ms, run);
  }

  function again(afterMs: number): void {
    if (!stopping || stopping.signal.aborted) return;
    arm(Math.min(kickedMs, afterMs));
    kickedMs = Number.POSITIVE_INFINITY;
  }

  function run(): void {
    const { signal } = stopping as AbortController;
    const under = turn(signal);
    if (under === undefined) return again(usual());
    running = under.finally(() => {
      running = undefined;
      // who was started anew meanwhile says himself when the first turn comes
      if (!signal.aborted) again(usual());
    });
  }

  return {
    start(afterMs = usual()) {
      if (stopping && !stopping.signal.aborted) return;
      stopping = new AbortController();
      kickedMs = Number.POSITIVE_INFINITY;
      if (!running) return again(afterMs);
      const { signal } = stopping;
      const begin = () => {
        if (!signal.aborted) again(afterMs);
      };
      running.then(begin, begin);
    },
    kick(withinMs = 0) {
      if (!stopping || stopping.signal.aborted) return;
      if (running) kickedMs = Math.min(kickedMs, withinMs);
      else if (clock.monotonic() + withinMs < dueAt) arm(withinMs);
    },
    async stop() {
      stopping?.abort();
      timer?.cancel();
      await running?.catch(() => undefined);
    },
  };
}
