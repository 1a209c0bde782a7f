import type { Clock, Timer } from './clock.ts';

/** Work that is done again and again in the background, one turn at a time. */
export interface Loop {
  /** The first turn comes after `afterMs`, by default after the usual time. Does nothing while it runs. */
  start(afterMs?: number): void;
  /** The next turn comes at once or, while one is under way, right after it. Does nothing before `start`. */
  kick(): void;
  /** Ends the turns and aborts the signal; resolves when the turn under way is over. May be started again. */
  stop(): Promise<void>;
}

/** What {@link createLoop} needs. */
export interface LoopOptions {
  readonly clock: Clock;
  /** From the end of a turn to the next, milliseconds; asked after each. */
  readonly everyMs: number | (() => number);
  /** One turn. Handles what goes wrong in it: a rejection is a defect, and the turns go on all the same. */
  readonly turn: (signal: AbortSignal) => Promise<unknown> | void;
}

/** Makes a loop that stands still until it is started. */
export function createLoop({ clock, everyMs, turn }: LoopOptions): Loop {
  let stopping: AbortController | undefined;
  let timer: Timer | undefined;
  let running: Promise<unknown> | undefined;
  let kicked = false;
  const usual = () => (typeof everyMs === 'number' ? everyMs : everyMs());

  function arm(ms: number): void {
    timer?.cancel();
    timer = clock.timer(ms, run);
  }

  function run(): void {
    const { signal } = stopping as AbortController;
    const done = () => {
      running = undefined;
      if (signal.aborted) return;
      arm(kicked ? 0 : usual());
      kicked = false;
    };
    const under = turn(signal);
    if (under === undefined) return done();
    running = under.finally(done);
  }

  return {
    start(afterMs = usual()) {
      if (stopping && !stopping.signal.aborted) return;
      stopping = new AbortController();
      kicked = false;
      arm(afterMs);
    },
    kick() {
      if (!stopping || stopping.signal.aborted) return;
      if (running) kicked = true;
      else arm(0);
    },
    async stop() {
      stopping?.abort();
      timer?.cancel();
      await running?.catch(() => undefined);
    },
  };
}
