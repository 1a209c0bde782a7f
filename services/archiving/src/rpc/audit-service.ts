import { AuditService } from '@parley/contracts/archive/v1/archive';
import { type MountedService, service } from '@parley/rpc';
import type { createListEntries } from '../app/list-entries.ts';
import type { createVerifyEntries } from '../app/verify-entries.ts';
import { archivingErrors } from '../errors.ts';
import { entryMessage } from './messages.ts';
import { atMost, caseOf, personOf, rangeOf } from './validate.ts';

const MOST_ENTRIES = 200;
const MOST_CURSOR = 2_048;

export interface AuditUseCases {
  readonly listEntries: ReturnType<typeof createListEntries>;
  readonly verifyEntries: ReturnType<typeof createVerifyEntries>;
}

export function auditService({ listEntries, verifyEntries }: AuditUseCases): MountedService {
  return service(AuditService, {
    async listEntries(request, context) {
      const { caseId, person, fromMs, untilMs, limit, cursor } = request;
      if (cursor.length > MOST_CURSOR) throw archivingErrors('archive.cursor_invalid', { field: 'cursor' });
      const { entries, next } = await listEntries({
        caseId: caseOf(caseId),
        person: person === '' ? '' : personOf(person, 'person'),
        ...rangeOf(fromMs, untilMs, ''),
        limit: atMost(limit, 'limit', MOST_ENTRIES, 50),
        after: cursor === '' ? undefined : cursor,
        context,
      });
      return { entries: entries.map(entryMessage), nextCursor: next ?? '' };
    },
    async verifyEntries(_, context) {
      const { intact, entries, checkpointed, findings } = await verifyEntries(context.signal);
      return { intact, findings: [...findings], entries: BigInt(entries), checkpointed: BigInt(checkpointed) };
    },
  });
}
