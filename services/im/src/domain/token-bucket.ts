export interface Rate {
  /** Tokens that come back every second. */
  readonly perSecond: number;
  /** Tokens that can be saved up. */
  readonly burst: number;
}

/** Tokens there were at a moment, milliseconds of a clock that never goes back. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Takes one token. `waitMs` is 0 when there was one, else how long until there is. */
export function take(bucket: Bucket | undefined, now: number, rate: Rate): { bucket: Bucket; waitMs: number } {
  const tokens = bucket
    ? Math.min(rate.burst, bucket.tokens + ((now - bucket.at) / 1000) * rate.perSecond)
    : rate.burst;
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, at: now }, waitMs: 0 };
  return { bucket: { tokens, at: now }, waitMs: Math.ceil(((1 - tokens) / rate.perSecond) * 1000) };
}

/** Whether a bucket has filled up again, so that it need not be remembered. */
export function full(bucket: Bucket, now: number, rate: Rate): boolean {
  return bucket.tokens + ((now - bucket.at) / 1000) * rate.perSecond >= rate.burst;
}
