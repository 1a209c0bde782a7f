/** Shortest and longest wait before a failed batch is delivered again, milliseconds. */
export interface BackoffRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The waits of every adapter unless told otherwise: 100 ms to 30 s. */
export const DEFAULT_BACKOFF: BackoffRange = { minMs: 100, maxMs: 30_000 };

/** Milliseconds to wait after `attempt` failures in a row (1 for the first): doubling, and up to a half of it random. */
export function backoffMs(attempt: number, fraction: number, { minMs, maxMs }: BackoffRange): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(minMs, full * (1 - fraction / 2));
}
