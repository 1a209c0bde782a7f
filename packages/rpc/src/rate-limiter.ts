import type { Clock } from '@parley/runtime';

/** Decides how often something may happen. */
export interface RateLimiter {
  /** Takes `cost` (default 1) from the budget of `key`. 0: allowed; otherwise how many milliseconds to wait, nothing taken. */
  take(key: string, cost?: number): number;
}

/** Settings of {@link createTokenBuckets}. */
export interface TokenBucketOptions {
  /** Refill per second and key, more than 0. */
  readonly ratePerSecond: number;
  /** Size of a full bucket: what may happen at once, at least 1. */
  readonly burst: number;
  readonly clock: Clock;
  /** Keys remembered, default 100,000; past it the one unused for longest starts again with a full bucket. */
  readonly maxKeys?: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** A token bucket per key, in constant memory. */
export function createTokenBuckets(options: TokenBucketOptions): RateLimiter {
  const { burst, clock } = options;
  const perMs = options.ratePerSecond / 1000;
  const maxKeys = options.maxKeys ?? 100_000;
  if (!(perMs > 0) || !(burst >= 1) || !(maxKeys >= 1)) throw new Error('rate, burst and keys must be positive');
  // Two generations instead of a true LRU: a hit costs one look-up, and the oldest half goes at once.
  let older = new Map<string, Bucket>();
  let current = new Map<string, Bucket>();

  function find(key: string, now: number): Bucket {
    let bucket = current.get(key);
    if (bucket) return bucket;
    bucket = older.get(key) ?? { left: burst, at: now };
    if (current.size >= Math.ceil(maxKeys / 2)) {
      older = current;
      current = new Map();
    }
    current.set(key, bucket);
    return bucket;
  }

  return {
    take(key, cost = 1) {
      const now = clock.monotonic();
      const bucket = find(key, now);
      const left = Math.min(burst, bucket.left + (now - bucket.at) * perMs);
      bucket.at = now;
      if (left >= cost) {
        bucket.left = left - cost;
        return 0;
      }
      bucket.left = left;
      return Math.max(1, Math.ceil((Math.min(cost, burst) - left) / perMs));
    },
  };
}
