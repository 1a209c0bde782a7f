/** What the client needs of its surroundings; everything has a default that fits browsers and Node. */
export interface ClientEnvironment {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
  /** A random UUID. */
  uuid(): string;
  /**
   * Runs `work` while nobody else who shares the token store runs under the same name: in a browser all tabs (Web
   * Locks), elsewhere this process, or more when you bring your own.
   */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

const chains = new Map<string, Promise<unknown>>();

/** Serialises within this process. */
function inProcess<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = chains.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.then(
    () => undefined,
    () => undefined,
  );
  chains.set(name, settled);
  void settled.then(() => chains.get(name) === settled && chains.delete(name));
  return mine;
}

/** The surroundings as they are. */
export const defaultEnvironment: ClientEnvironment = {
  now: () => Date.now(),
  fraction: () => Math.random(),
  uuid: () => crypto.randomUUID(),
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
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    const locks = typeof document === 'object' ? globalThis.navigator?.locks : undefined;
    return locks ? (locks.request(`parley:${name}`, work) as Promise<T>) : inProcess(name, work);
  },
};

/**
 * Delay before try number `attempt` (0 for the first repetition): exponential from `base` to `most` milliseconds with
 * full jitter, so that many clients do not come back together.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function backoff(env: ClientEnvironment, attempt: number, base = 500, most = 30_000): number {
  return Math.round(env.fraction() * Math.min(most, base * 2 ** Math.min(attempt, 16)));
}
