import type { CallContext } from '@parley/rpc';
import type { Purpose } from '../domain/audit-entry.ts';
import type { LinkStore } from '../ports/archive-store.ts';
import type { IndexStore } from '../ports/index-store.ts';
import { type AskedQuery, describe, understand } from './asked-query.ts';
import { type AuditedDeps, audited } from './audited.ts';
import { countNotIndexed } from './chains.ts';
import type { Gate } from './gate.ts';
import type { FoundRecord } from './read-records.ts';
import type { ResolvePeople } from './resolve-people.ts';
import type { SearchPlace, SearchRecords } from './search-records.ts';

export interface SearchDeps extends AuditedDeps {
  readonly links: LinkStore;
  readonly index: IndexStore;
  readonly resolve: ResolvePeople;
  readonly search: SearchRecords;
  readonly gate: Gate;
}

export interface SearchCommand {
  readonly purpose: Purpose;
  readonly query: AskedQuery;
  readonly limit: number;
  readonly after: SearchPlace | undefined;
  readonly context: CallContext;
}

export interface SearchAnswer {
  readonly records: readonly FoundRecord[];
  readonly next: SearchPlace | undefined;
  readonly notIndexed: number;
  readonly auditId: string;
}

export function createSearch(deps: SearchDeps): (command: SearchCommand) => Promise<SearchAnswer> {
  const { links, index, resolve, search, gate } = deps;
  return async ({ purpose, query, limit, after, context }) => {
    const leave = gate.enter();
    try {
      const detail = { ...describe(query), limit, ...(after && { continued: true }) };
      const { result, entry } = await audited(deps, { action: 'search', purpose, detail, context }, async () => {
        const understood = await understand(query, resolve, context);
        // Counted first: what is indexed meanwhile is found.
        const notIndexed = await countNotIndexed(links, index);
        const page = await search(understood, limit, after, context.signal);
        const outcome = { records: page.records.length, more: page.next !== undefined, not_indexed: notIndexed };
        return { result: { ...page, notIndexed }, outcome };
      });
      return { ...result, auditId: entry.auditId };
    } finally {
      leave();
    }
  };
}
