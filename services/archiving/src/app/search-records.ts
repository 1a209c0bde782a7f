import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import { type Candidate, candidatesOf, SLOT_MS } from '../domain/index-block.ts';
import { planOf, type RecordQuery } from '../domain/record-query.ts';
import type { IndexStore } from '../ports/index-store.ts';
import { byTime, distinct, type FoundRecord, matches, type ReadRecords } from './read-records.ts';
import { isBeyond, newestFirst, type WalkPlace } from './walk-index.ts';

const READ_AT_ONCE = 50;

/** Where a search goes on: beyond this record, or beyond this time when `place` is empty. */
export interface SearchPlace {
  readonly timeMs: number;
  readonly place: string;
  readonly walk?: WalkPlace;
}

export interface SearchPage {
  readonly records: readonly FoundRecord[];
  readonly next: SearchPlace | undefined;
}

export interface SearchDeps {
  readonly clock: Clock;
  readonly index: IndexStore;
  readonly read: ReadRecords;
  readonly settings: Pick<ArchivingConfig, 'searchBudgetMs'>;
}

/**
 * A page of records, newest first. What is archived meanwhile stands above it or, accepted late, in its place below: no
 * record comes twice and none that was there is missed. When the time for one page is over, it ends early.
 */
export type SearchRecords = (
  query: RecordQuery,
  limit: number,
  after: SearchPlace | undefined,
  signal: AbortSignal,
) => Promise<SearchPage>;

export function createSearchRecords({ clock, index, read, settings }: SearchDeps): SearchRecords {
  return async (query, limit, after, signal) => {
    const plan = planOf(query);
    const end = clock.monotonic() + settings.searchBudgetMs;
    const records: FoundRecord[] = [];
    let place: SearchPlace | undefined;

    const isNext = (one: Candidate) =>
      one.timeMs >= query.fromMs &&
      one.timeMs < query.untilMs &&
      (!after || one.timeMs < after.timeMs || (one.timeMs === after.timeMs && one.place < after.place));

    for await (const slot of newestFirst(index, plan, query, after?.walk)) {
      signal.throwIfAborted();
      if (isBeyond(slot, SLOT_MS, query)) continue;
      const sorted = distinct(slot.blocks.flatMap(block => candidatesOf(block, plan.groups)).sort(byTime));
      const wanted = sorted.filter(isNext);
      for (let i = 0; i < wanted.length; i += READ_AT_ONCE) {
        const some = wanted.slice(i, i + READ_AT_ONCE);
        const times = new Map(some.map(one => [one.place, one.timeMs]));
        for (const found of await read([...times.keys()])) {
          if (!matches(query, found)) continue;
          if (records.length === limit) return { records, next: place };
          records.push(found);
          const at = found.link.place;
          place = { timeMs: times.get(at) ?? found.timeMs, place: at, walk: slot.place };
        }
        const last = some.at(-1) as Candidate;
        if (clock.monotonic() >= end)
          return { records, next: { timeMs: last.timeMs, place: last.place, walk: slot.place } };
        await turn();
        signal.throwIfAborted();
      }
      if (clock.monotonic() >= end)
        return { records, next: { timeMs: slot.topMs - SLOT_MS, place: '', walk: slot.place } };
    }
    return { records, next: undefined };
  };
}
