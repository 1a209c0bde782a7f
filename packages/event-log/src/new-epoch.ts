import type { Clock, Ids } from '@parley/runtime';

const RANDOM = 65_536;

/** Number of an epoch that begins now: ascending with time, and no two logs alike. */
export function newEpoch(clock: Pick<Clock, 'now'>, ids: Pick<Ids, 'fraction'>): number {
  return Math.floor(clock.now() / 1000) * RANDOM + Math.floor(ids.fraction() * RANDOM);
}
