import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { ImEventSchema } from '@parley/contracts/im/v1/im';
import { type Event, NORMAL, PLAIN } from '../../domain/event.ts';
import type { Codec, LoggedRecord } from '../../ports/codec.ts';
import { encodeEvent, encodeRecord } from './encode.ts';

const KNOWN_VERSION = 1;

export const protobufCodec: Codec = {
  event: encodeEvent,
  record: encodeRecord,
  withKind(bytes, kind) {
    const record = fromBinary(ArchiveRecordSchema, bytes);
    record.kind = kind === 'event' ? ArchiveRecordKind.IM_EVENT : ArchiveRecordKind.NOT_ACCEPTED;
    return toBinary(ArchiveRecordSchema, record);
  },
  decodeEvent,
  decodeRecord,
};

function decodeEvent(bytes: Uint8Array): Event {
  const event = fromBinary(ImEventSchema, bytes);
  return {
    id: event.id,
    kind: event.kind,
    conversationId: event.conversationId,
    senderId: event.senderId,
    key: event.key,
    acceptedMs: Number(event.acceptedMs),
    content: {
      text: event.content?.text ?? '',
      format: event.content?.format || PLAIN,
      importance: event.content?.importance || NORMAL,
    },
    recipientIds: event.recipientIds,
  };
}

function decodeRecord(bytes: Uint8Array): LoggedRecord | undefined {
  try {
    const record = fromBinary(ArchiveRecordSchema, bytes);
    const kind = kinds.get(record.kind);
    // What a later version means is not known here: nothing may be concluded from it.
    if (!kind || record.recordId === '' || record.version > KNOWN_VERSION) return undefined;
    return {
      kind,
      recordId: record.recordId,
      hash: record.contentHash,
      acceptedMs: Number(record.acceptedMs),
      event: record.event,
      senderId: record.senderId,
      recipientIds: record.recipientIds,
      conversationId: record.conversationId,
    };
  } catch {
    return undefined;
  }
}

const kinds = new Map<number, LoggedRecord['kind']>([
  [ArchiveRecordKind.IM_EVENT, 'event'],
  [ArchiveRecordKind.NOT_ACCEPTED, 'not-accepted'],
]);
