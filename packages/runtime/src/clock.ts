/** Handle of a pending timer. */
export interface Timer {
  /** Forgets the timer; does nothing when it has fired. */
  cancel(): void;
}

/**
 * Source of time. Everything that waits or looks at the time takes one, so that tests decide when it passes.
 * Production uses {@link systemClock}; tests use `ManualClock` of `@parley/testkit`.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970-01-01 UTC. May be set back by an operator; never measure durations with it. */
  now(): number;
  /** Milliseconds since some moment of this process; never goes back. */
  monotonic(): number;
  /** Calls `fn` once after `ms` milliseconds (0 to 2^31-1). A pending timer does not keep the process alive. */
  timer(ms: number, fn: () => void): Timer;
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(ms, fn) {
    const handle = setTimeout(fn, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = () => {
        clearTimeout(handle);
        reject(signal?.reason as Error);
      };
      const handle = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};
