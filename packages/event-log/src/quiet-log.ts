import type { Clock, LogFields, Logger } from '@parley/runtime';

/** Warns about things that may happen thousands of times a second. */
export interface QuietLog {
  /** Logs the first of each `key` at once and then one in ten seconds, which tells how many were left out. */
  warn(event: string, key: string, fields: LogFields): void;
}

const EVERY_MS = 10_000;
const MOST_KEYS = 1000;

/** A quiet log over `logger`; silent without one. */
export function createQuietLog(logger: Logger | undefined, clock: Clock): QuietLog {
  const told = new Map<string, { at: number; suppressed: number }>();
  return {
    warn(event, key, fields) {
      if (logger === undefined) return;
      const now = clock.monotonic();
      const id = `${event} ${key}`;
      const last = told.get(id);
      if (last !== undefined && now - last.at < EVERY_MS) {
        last.suppressed++;
        return;
      }
      if (told.size >= MOST_KEYS) told.clear();
      told.set(id, { at: now, suppressed: 0 });
      logger.warn(event, last === undefined ? fields : { ...fields, suppressed: last.suppressed });
    },
  };
}
