import { fromBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { ImEventKind, ImEventSchema, Importance } from '@parley/contracts/im/v1/im';
import type { FullRecord } from '../../domain/record.ts';

const KINDS = new Map(Object.entries(ImEventKind).map(([name, number]) => [number as number, name.toLowerCase()]));

/** Reads all of a `parley.event.v1.ArchiveRecord` and of the event in it. */
export function decodeFull(bytes: Uint8Array): FullRecord | undefined {
  try {
    const record = fromBinary(ArchiveRecordSchema, bytes);
    const event = record.event.length > 0 ? readEvent(record.event) : undefined;
    return {
      kind: record.kind === ArchiveRecordKind.NOT_ACCEPTED ? 'not-accepted' : 'event',
      recordId: record.recordId,
      conversationId: record.conversationId,
      senderId: record.senderId,
      recipientIds: record.recipientIds,
      acceptedMs: Number(record.acceptedMs),
      contentHash: record.contentHash,
      key: record.key,
      decidedBy: record.decidedBy,
      critical: record.critical,
      people: record.people.map(({ id, address, displayName }) => ({ id, address, displayName })),
      eventKind: event ? (KINDS.get(event.kind) ?? String(event.kind)) : '',
      text: event?.content?.text ?? '',
      highImportance: event?.content?.importance === Importance.HIGH,
      targetId: event?.targetId ?? '',
    };
  } catch {
    return undefined;
  }
}

/** An event of a later version may be unreadable here; the record stands all the same. */
function readEvent(bytes: Uint8Array) {
  try {
    return fromBinary(ImEventSchema, bytes);
  } catch {
    return undefined;
  }
}
