import type { Clock } from '@parley/runtime';
import type { ArchiveLog } from '../ports/archive-log.ts';

export interface SettleDeps {
  readonly clock: Clock;
  readonly log: ArchiveLog;
  readonly group: string;
  readonly pollMs: number;
}

/** Waits until what is in the log now is archived, or `waitMs` have passed; says whether it is. */
export function createSettle({ clock, log, group, pollMs }: SettleDeps) {
  return async (waitMs: number, signal: AbortSignal): Promise<boolean> => {
    const until = clock.monotonic() + waitMs;
    const wanted = await log.ends();
    for (;;) {
      const committed = await log.committed(group);
      const done = wanted.every(end => end.high === end.low || (committed.get(end.partition) ?? 0) >= end.high);
      if (done || clock.monotonic() >= until) return done;
      await clock.sleep(Math.max(1, Math.round(Math.min(pollMs, until - clock.monotonic()))), signal);
    }
  };
}
