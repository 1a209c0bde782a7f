/** Wrong passwords of one person, or of one address that is nobody's: both look alike from outside. */
export interface Attempts {
  readonly v: 1;
  readonly failures: number;
  readonly windowStartMs: number;
  /** 0 when not locked. */
  readonly lockedUntilMs: number;
  /** From then on the document says nothing any more. */
  readonly expiresMs: number;
}

export interface LockoutRule {
  readonly attempts: number;
  readonly windowMs: number;
  readonly durationMs: number;
}

export const noAttempts: Attempts = { v: 1, failures: 0, windowStartMs: 0, lockedUntilMs: 0, expiresMs: 0 };

/** Milliseconds until sign-in may be tried again; 0 when it may. */
export function lockedForMs(state: Attempts, now: number): number {
  return Math.max(0, state.lockedUntilMs - now);
}

/** How many more wrong passwords there may be before the lock. */
export function guessesLeft(state: Attempts, now: number, rule: LockoutRule): number {
  return Math.max(0, rule.attempts - countedFailures(state, now, rule));
}

/** One more wrong password. `locked` is true for the one that locks. */
export function afterFailure<A extends Attempts>(
  state: A,
  now: number,
  rule: LockoutRule,
): { readonly next: A; readonly locked: boolean } {
  if (lockedForMs(state, now) > 0) return { next: state, locked: false };
  const before = countedFailures(state, now, rule);
  const failures = before + 1;
  const windowStartMs = before === 0 ? now : state.windowStartMs;
  const locked = failures >= rule.attempts;
  const lockedUntilMs = locked ? now + rule.durationMs : 0;
  const expiresMs = Math.max(lockedUntilMs, windowStartMs + rule.windowMs);
  return { next: { ...state, failures: locked ? 0 : failures, windowStartMs, lockedUntilMs, expiresMs }, locked };
}

function countedFailures(state: Attempts, now: number, rule: LockoutRule): number {
  return now - state.windowStartMs < rule.windowMs ? state.failures : 0;
}
