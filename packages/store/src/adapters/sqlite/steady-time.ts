import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Logger } from '@parley/runtime';
import { row, statement } from './statements.ts';

/**
 * The time of the store: the machine's clock, but never earlier than it was before, not even over a restart. When the
 * clock was set back, this time goes on from where it was, at nine tenths of the pace, until the clock has caught up:
 * keys made before sort before keys made after, and what was to end in an hour ends within 67 minutes.
 */
export interface SteadyTime {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Remembers the time in the file, now and then; to be called within a transaction. */
  keep(): void;
}

/** Pace while the clock is behind. */
const PACE = 0.9;
/** Differences below are left to what sets the clock (NTP slews and steps), milliseconds. */
const TOLD_MS = 1_000;
/** A restart may find the time so much too early, milliseconds; less than how far clients' keys may lie ahead. */
const KEEP_EVERY_MS = 5_000;

const GET = 'SELECT ms FROM parley_time WHERE id = 1';
const PUT = 'INSERT INTO parley_time VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET ms = excluded.ms';

/** Begins where the file says that it was left. */
export function createSteadyTime(db: DatabaseSync, clock: Clock, logger: Logger | undefined): SteadyTime {
  db.exec('CREATE TABLE IF NOT EXISTS parley_time (id INTEGER PRIMARY KEY CHECK (id = 1), ms INTEGER NOT NULL)');
  let wall = clock.now();
  let value = Math.max(wall, (row(statement(db, GET))?.[0] as number | undefined) ?? 0);
  let at = clock.monotonic();
  let keptAt = Number.NEGATIVE_INFINITY;
  if (value - wall > TOLD_MS) tell('store.time.behind_file', value - wall);

  function tell(event: string, behindMs: number): void {
    const remedy = 'check the clock and its synchronisation; until it has caught up, times shown are ahead of it';
    logger?.warn(event, { behindMs: Math.round(behindMs), clock: new Date(clock.now()).toISOString(), remedy });
  }

  function now(): number {
    const monotonic = clock.monotonic();
    const elapsed = Math.max(0, monotonic - at);
    const next = clock.now();
    const setBack = wall + elapsed - next;
    if (setBack > TOLD_MS) tell('store.time.clock_set_back', setBack);
    wall = next;
    at = monotonic;
    value = Math.max(next, value + elapsed * PACE);
    return Math.floor(value);
  }

  return {
    now,
    keep() {
      if (clock.monotonic() - keptAt < KEEP_EVERY_MS) return;
      statement(db, PUT).run(now());
      keptAt = clock.monotonic();
    },
  };
}
