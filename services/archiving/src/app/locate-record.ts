import { Role } from '@parley/contracts';
import { type CallContext, personOf } from '@parley/rpc';
import { parsePlace } from '../domain/place.ts';
import { archivingErrors } from '../errors.ts';
import type { CheckpointStore, ContentStore } from '../ports/archive-store.ts';
import type { IndexStore } from '../ports/index-store.ts';
import { type AuditedDeps, audited } from './audited.ts';
import type { ReadRecords } from './read-records.ts';

/** Who talks to whom is nothing for those who only look at the system. */
const SEE_PEOPLE = [Role.ADMINISTRATOR, Role.COMPLIANCE_OFFICER];

export interface LocateRecordDeps extends AuditedDeps {
  readonly contents: ContentStore;
  readonly checkpoints: CheckpointStore;
  readonly index: IndexStore;
  readonly read: ReadRecords;
  /** Whether somebody holds one of the roles now. */
  readonly holds: (personId: string, roles: readonly Role[]) => Promise<boolean>;
}

/** Where a record stands and whom it was for, without what it says. */
export interface LocatedRecord {
  readonly place: string;
  readonly state: number;
  readonly acceptedMs: number;
  readonly decidedBy: string;
  readonly critical: boolean;
  readonly checkpointed: boolean;
  readonly indexed: boolean;
  readonly recipientIds: readonly string[];
}

/** Says where a record stands. Whom it was for is told to those who may know, and written to the audit log. */
export function createLocateRecord(deps: LocateRecordDeps) {
  const { contents, checkpoints, index, read, telemetry, holds } = deps;

  async function locate(recordId: string): Promise<LocatedRecord> {
    const [content] = await contents.getMany([recordId]);
    const [found] = content ? await read([content.place]) : [];
    // Ids of other contents (versions, verdicts, parked ones) are not ids of records.
    if (found?.content.id !== recordId || found.record?.recordId !== recordId)
      throw archivingErrors('archive.record_not_found', { field: 'record_id' });
    const { record, link, state } = found;
    const { chain, offset } = parsePlace(link.place) ?? { chain: '', offset: 0 };
    const [checkpoint, position] = await Promise.all([checkpoints.last(chain), index.position(chain)]);
    return {
      ...{ place: link.place, state, acceptedMs: record.acceptedMs },
      ...{ decidedBy: record.decidedBy, critical: record.critical },
      checkpointed: offset < (checkpoint?.next ?? 0),
      indexed: offset < (position?.next ?? 0),
      recipientIds: record.recipientIds,
    };
  }

  return async (recordId: string, context: CallContext): Promise<LocatedRecord> => {
    const { id } = personOf(context);
    if (!(await holds(id, SEE_PEOPLE))) {
      const found = await locate(recordId);
      telemetry.located(id, found.place);
      return { ...found, recipientIds: [] };
    }
    const asked = {
      ...{ action: 'locate' as const, purpose: { caseId: '', reason: '' } },
      ...{ detail: { record_id: recordId }, context },
    };
    const { result } = await audited(deps, asked, async () => {
      const found = await locate(recordId);
      return { result: found, outcome: { recipients: found.recipientIds.length } };
    });
    return result;
  };
}
