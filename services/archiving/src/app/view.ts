import type { CallContext } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import type { Purpose } from '../domain/audit-entry.ts';
import { type Candidate, candidatesOf, dayOf } from '../domain/index-block.ts';
import { EVERYTHING, planOf, type RecordQuery } from '../domain/record-query.ts';
import { archivingErrors } from '../errors.ts';
import type { ContentStore } from '../ports/archive-store.ts';
import type { IndexStore } from '../ports/index-store.ts';
import { type AuditedDeps, audited } from './audited.ts';
import type { Gate } from './gate.ts';
import { byTime, distinct, type FoundRecord, matches, type ReadRecords } from './read-records.ts';
import type { SearchRecords } from './search-records.ts';
import { slotsOfDay } from './walk-index.ts';

const READ_AT_ONCE = 50;

export interface ViewDeps extends AuditedDeps {
  readonly clock: Clock;
  readonly contents: ContentStore;
  readonly index: IndexStore;
  readonly read: ReadRecords;
  readonly search: SearchRecords;
  readonly gate: Gate;
  readonly settings: Pick<ArchivingConfig, 'searchBudgetMs'>;
}

export interface ViewCommand {
  readonly purpose: Purpose;
  readonly recordId: string;
  readonly before: number;
  readonly after: number;
  readonly context: CallContext;
}

export interface ViewAnswer {
  /** In order of the conversation. */
  readonly records: readonly FoundRecord[];
  readonly raw: Uint8Array;
  readonly auditId: string;
}

/** A record with what was said before and after it in its conversation, as far as it is indexed. */
export function createView(deps: ViewDeps): (command: ViewCommand) => Promise<ViewAnswer> {
  const { clock, contents, index, read, search, gate, settings } = deps;

  async function before(query: RecordQuery, target: FoundRecord, wanted: number, signal: AbortSignal) {
    const found: FoundRecord[] = [];
    let place: Parameters<SearchRecords>[2] = { timeMs: target.timeMs, place: target.link.place };
    while (place && found.length < wanted) {
      const page = await search({ ...query, untilMs: target.timeMs + 1 }, wanted - found.length, place, signal);
      found.push(...page.records);
      if (page.records.length === 0) break;
      place = page.next;
    }
    return found;
  }

  async function after(query: RecordQuery, target: FoundRecord, wanted: number, signal: AbortSignal) {
    const plan = planOf(query);
    const end = clock.monotonic() + settings.searchBudgetMs;
    const found: FoundRecord[] = [];
    let day = wanted > 0 ? await index.dayFrom(dayOf(target.timeMs)) : undefined;
    while (day !== undefined && clock.monotonic() < end) {
      const there: Candidate[] = [];
      for await (const { blocks } of slotsOfDay(index, plan, day))
        there.push(...blocks.flatMap(block => candidatesOf(block, plan.groups)));
      const sorted = distinct(there.sort(byTime)).toReversed();
      const later = sorted.filter(
        one => one.timeMs > target.timeMs || (one.timeMs === target.timeMs && one.place > target.link.place),
      );
      for (let i = 0; i < later.length && found.length < wanted; i += READ_AT_ONCE) {
        signal.throwIfAborted();
        const some = await read(later.slice(i, i + READ_AT_ONCE).map(one => one.place));
        found.push(...some.filter(one => matches(query, one)).slice(0, wanted - found.length));
      }
      day = found.length < wanted ? await index.dayFrom(day + 1) : undefined;
    }
    return found;
  }

  async function view({ recordId, before: wantedBefore, after: wantedAfter, context }: ViewCommand) {
    const [content] = await contents.getMany([recordId]);
    const [target] = content ? await read([content.place]) : [];
    // The link at a content's place leads back to it, unless somebody changed one of them.
    if (!target || target.content.id !== recordId)
      throw archivingErrors('archive.record_unknown', { field: 'record_id' });
    const conversationId = target.record?.conversationId ?? '';
    if (conversationId === '') return { records: [target], raw: target.content.raw };
    const query: RecordQuery = { ...EVERYTHING, conversationId };
    const around = await Promise.all([
      before(query, target, wantedBefore, context.signal),
      after(query, target, wantedAfter, context.signal),
    ]);
    return { records: [...around.flat(), target].sort(byKey), raw: target.content.raw };
  }

  return async command => {
    const { purpose, recordId, context } = command;
    const leave = gate.enter();
    try {
      const detail = { record_id: recordId, before: command.before, after: command.after };
      const { result, entry } = await audited(deps, { action: 'view', purpose, detail, context }, async () => {
        const result = await view(command);
        return { result, outcome: { records: result.records.length } };
      });
      return { ...result, auditId: entry.auditId };
    } finally {
      leave();
    }
  };
}

/** The order of the conversation. */
export function byKey(a: FoundRecord, b: FoundRecord): number {
  const [left, right] = [a.record?.key ?? '', b.record?.key ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return a.link.place < b.link.place ? -1 : 1;
}
