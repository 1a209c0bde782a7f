/**
 * Keeps senders from waiting for a log that does not answer. After `failures` failures in a row it opens; `openMs` later
 * one attempt is let through, and its outcome closes or opens it again.
 */
export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number }
  | { readonly state: 'probing'; readonly until: number };

export interface BreakerLimits {
  readonly failures: number;
  readonly openMs: number;
}

export const closed: Breaker = { state: 'closed', failures: 0 };

/** Whether an attempt may be made now, and the state while it is under way. */
export function admit(breaker: Breaker, now: number, limits: BreakerLimits): { breaker: Breaker; admitted: boolean } {
  if (breaker.state === 'closed') return { breaker, admitted: true };
  if (now < breaker.until) return { breaker, admitted: false };
  // An attempt that never reports back gives its place to another one after the same time.
  return { breaker: { state: 'probing', until: now + limits.openMs }, admitted: true };
}

export function succeeded(breaker: Breaker): Breaker {
  return breaker.state === 'closed' && breaker.failures === 0 ? breaker : closed;
}

export function failed(breaker: Breaker, now: number, limits: BreakerLimits): Breaker {
  const failures = breaker.state === 'closed' ? breaker.failures + 1 : limits.failures;
  return failures >= limits.failures ? { state: 'open', until: now + limits.openMs } : { state: 'closed', failures };
}
