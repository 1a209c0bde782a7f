import type { Clock } from '@parley/runtime';
import { type Bucket, full, type Rate, take } from '../domain/token-bucket.ts';
import { imErrors } from '../errors.ts';

const SWEEP_EVERY = 1_024;

/** Lets nobody send faster than the rate. Buckets that are full again are forgotten. */
export function createRateLimit(clock: Clock, rate: Rate): (senderId: string) => void {
  const buckets = new Map<string, Bucket>();
  let untilSweep = SWEEP_EVERY;
  return senderId => {
    const now = clock.monotonic();
    const before = buckets.get(senderId);
    if (!before && --untilSweep <= 0) {
      for (const [id, bucket] of buckets) if (full(bucket, now, rate)) buckets.delete(id);
      // Looks at as many buckets as were added since, so that a send pays for one.
      untilSweep = Math.max(SWEEP_EVERY, buckets.size);
    }
    const { bucket, waitMs } = take(before, now, rate);
    buckets.set(senderId, bucket);
    if (waitMs > 0) throw imErrors('im.rate_limited', { params: { rate: rate.perSecond }, retryAfterMs: waitMs });
  };
}
