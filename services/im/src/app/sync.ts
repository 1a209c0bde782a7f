import {
  beginSync,
  cursorAfter,
  pageToken,
  parseCursor,
  parsePageToken,
  type SyncLimits,
  type SyncRun,
} from '../domain/cursor.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { EventStore, StoredEvent } from '../ports/event-store.ts';
import type { StoreClock } from './store-clock.ts';

export interface SyncDeps {
  readonly events: EventStore;
  readonly time: Pick<StoreClock, 'nowMs'>;
  readonly limits: SyncLimits;
  readonly pageBytes: number;
  readonly telemetry: Telemetry;
}

export interface SyncCommand {
  readonly personId: string;
  readonly cursor: string;
  readonly page: string;
  readonly limit: number;
}

export interface SyncPage {
  readonly events: readonly StoredEvent[];
  readonly nextPage: string;
  readonly cursor: string;
}

/** Events for a person since a cursor, a page at a time. `cursor` is set on the last page of a run only. */
export function createSync(deps: SyncDeps): (command: SyncCommand) => Promise<SyncPage> {
  return async ({ personId, cursor, page, limit }) => {
    const run = page === '' ? begin(cursor, deps) : parsePageToken(page);
    if (!run) throw imErrors('im.cursor_invalid', { field: 'page' });
    const found = await deps.events.inbox(personId, run.last, run.upper, limit);
    const events = withinBytes(found, deps.pageBytes);
    const reached: SyncRun = { ...run, last: events.at(-1)?.key ?? run.last };
    deps.telemetry.read('sync', events.length);
    const complete = events.length === found.length && found.length < limit;
    if (complete) return { events, nextPage: '', cursor: cursorAfter(reached) };
    return { events, nextPage: pageToken(reached), cursor: '' };
  };
}

function begin(cursor: string, deps: SyncDeps): SyncRun {
  const last = cursor === '' ? undefined : parseCursor(cursor);
  if (cursor !== '' && !last) throw imErrors('im.cursor_invalid', { field: 'cursor' });
  return beginSync(last, deps.time.nowMs(), deps.limits);
}

/** As many from the front as fit, at least one. */
export function withinBytes(events: readonly StoredEvent[], most: number): readonly StoredEvent[] {
  let bytes = 0;
  for (let i = 0; i < events.length; i++) {
    bytes += (events[i] as StoredEvent).payload.length;
    if (bytes > most && i > 0) return events.slice(0, i);
  }
  return events;
}
