import { floorKey, parseKey } from './hybrid-clock.ts';

/**
 * Cursors and page tokens. They hold places only, nothing secret, and every call looks only at what is the caller's
 * own: a forged one shows nobody anything he could not ask for anyway. So they are checked for form, not signed.
 */

/** One run of a sync, as its page token carries it. */
export interface SyncRun {
  /** Key of the last event given out; the next page begins after it. */
  readonly last: string;
  /** Up to where this run goes, set when it began, so that it ends under any traffic. */
  readonly upper: string;
  /** A place so far back when the run began that everything before it was visible. */
  readonly horizon: string;
}

export interface SyncLimits {
  readonly initialMs: number;
  readonly cursorLagMs: number;
  readonly maxAheadMs: number;
}

/**
 * Begins a run after `cursor`, or with what the last `initialMs` brought. A cursor from after the horizon tells that time
 * was set back since it was given out: what is written now lies before it, and what was written then after `now`.
 */
export function beginSync(cursor: string | undefined, now: number, limits: SyncLimits): SyncRun {
  const { initialMs, cursorLagMs, maxAheadMs } = limits;
  const horizon = floorKey(now - cursorLagMs);
  const setBack = cursor !== undefined && cursor > horizon;
  const latest = setBack ? Math.max(now, (parseKey(cursor)?.ms ?? 0) + cursorLagMs) : now;
  return {
    last: setBack ? horizon : (cursor ?? floorKey(now - initialMs)),
    upper: floorKey(latest + maxAheadMs + 1),
    horizon,
  };
}

/** Where the next run begins: never after the horizon, since something may still become visible there. */
export function cursorAfter(run: SyncRun): string {
  return `s1.${run.last < run.horizon ? run.last : run.horizon}`;
}

export function parseCursor(text: string): string | undefined {
  const match = /^s1\.([^.]+)$/.exec(text);
  return match && parseKey(match[1] as string) ? match[1] : undefined;
}

export function pageToken(run: SyncRun): string {
  return `p1.${run.last}.${run.upper}.${run.horizon}`;
}

export function parsePageToken(text: string): SyncRun | undefined {
  const match = /^p1\.([^.]+)\.([^.]+)\.([^.]+)$/.exec(text);
  const [, last = '', upper = '', horizon = ''] = match ?? [];
  return parseKey(last) && parseKey(upper) && parseKey(horizon) ? { last, upper, horizon } : undefined;
}

/** Where an older page of a conversation begins. */
export function historyCursor(conversationId: string, key: string): string {
  return `h1.${conversationId}.${key}`;
}

/** The key before which a page ends; undefined unless the cursor is one of this conversation. */
export function parseHistoryCursor(text: string, conversationId: string): string | undefined {
  const match = /^h1\.([^.]+)\.([^.]+)$/.exec(text);
  return match && match[1] === conversationId && parseKey(match[2] as string) ? match[2] : undefined;
}
