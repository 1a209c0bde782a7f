import type { SessionEvents } from '../events.ts';
import type { Hints } from '../ports/hints.ts';

/** Lets many wait for one flush. */
export interface FlushGate {
  /** Names a flush that begins after this moment; to be compared with `done`. */
  mark(): number;
  /** Whether everything subscribed before `mark` stands. */
  done(mark: number): boolean;
  /** Resolves when everything subscribed so far stands, or when it is known that it does not: then a loss will be told. */
  pass(): Promise<void>;
}

export function createFlushGate(hints: Hints, events: SessionEvents): FlushGate {
  let begun = 0;
  let finished = 0;
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  async function flush(): Promise<void> {
    const mine = ++begun;
    try {
      if (hints.connected) await hints.flush();
    } catch (error) {
      events.flushFailed(error);
    }
    finished = mine;
  }

  function run(): Promise<void> {
    running = flush().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    mark: () => begun + 1,
    done: mark => finished >= mark,
    pass() {
      if (!running) return run();
      following ??= running.then(() => {
        following = undefined;
        return run();
      });
      return following;
    },
  };
}
