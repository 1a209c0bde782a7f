/** Time before attempt `attempt` (1 is the first repetition): doubles from `baseMs` to `maxMs`, half of it by chance. */
export function backoff(attempt: number, baseMs: number, maxMs: number, fraction: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(full / 2 + (full / 2) * fraction);
}

/** A moment within `[0, spreadMs)`. */
export function spread(spreadMs: number, fraction: number): number {
  return Math.floor(spreadMs * fraction);
}
