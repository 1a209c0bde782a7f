import { parsePlace } from '../domain/place.ts';
import { archivingErrors } from '../errors.ts';
import type { CheckpointStore, ContentStore } from '../ports/archive-store.ts';
import type { IndexStore } from '../ports/index-store.ts';
import type { ReadRecords } from './read-records.ts';

export interface LocateRecordDeps {
  readonly contents: ContentStore;
  readonly checkpoints: CheckpointStore;
  readonly index: IndexStore;
  readonly read: ReadRecords;
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

export function createLocateRecord({ contents, checkpoints, index, read }: LocateRecordDeps) {
  return async (recordId: string): Promise<LocatedRecord> => {
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
  };
}
