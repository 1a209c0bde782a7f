import type { CallContext } from '@parley/rpc';
import { asParleyError } from '@parley/rpc';
import { archivingErrors } from '../errors.ts';
import type { AuditQuery, AuditStore, SignedEntry } from '../ports/audit-store.ts';
import type { PeopleReader } from '../ports/people.ts';

export interface ListEntriesDeps {
  readonly audit: AuditStore;
  readonly people: PeopleReader;
}

export interface ListCommand {
  readonly caseId: string;
  /** Id or address; empty for all. */
  readonly person: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly limit: number;
  readonly after: string | undefined;
  readonly context: CallContext;
}

export function createListEntries({ audit, people }: ListEntriesDeps) {
  async function idOf(person: string, context: CallContext): Promise<string> {
    if (!person.includes('@')) return person;
    try {
      const [found] = await people.find({ ids: [], addresses: [person] }, context);
      if (found) return found.id;
    } catch (cause) {
      if (!['invalid', 'not_found'].includes(asParleyError(cause).kind))
        throw archivingErrors('archive.directory_unavailable', { retryAfterMs: 1_000, cause });
    }
    throw archivingErrors('archive.person_unknown', { field: 'person' });
  }

  return async ({ caseId, person, fromMs, untilMs, limit, after, context }: ListCommand) => {
    const personId = person === '' ? undefined : await idOf(person, context);
    const query: Omit<AuditQuery, 'after' | 'limit'> = {
      ...(caseId !== '' && { caseId }),
      ...(personId !== undefined && { personId }),
      ...{ fromMs, untilMs: untilMs === 0 ? Number.MAX_SAFE_INTEGER : untilMs },
    };
    const entries: SignedEntry[] = [];
    let next = after;
    do {
      context.signal.throwIfAborted();
      const page = await audit.list({ ...query, limit: limit - entries.length, after: next });
      if (!page) throw archivingErrors('archive.cursor_invalid', { field: 'cursor' });
      entries.push(...page.entries);
      next = page.next;
    } while (next !== undefined && entries.length < limit);
    return { entries, next };
  };
}
