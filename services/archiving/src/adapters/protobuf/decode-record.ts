import { type ArchivedRecord, isReadable } from '../../domain/record.ts';
import { NOTHING, Reader } from './reader.ts';

/**
 * Reads of a `parley.event.v1.ArchiveRecord` what archiving needs. By hand, because every record passes here; a test
 * holds it to what protobuf-es reads.
 */
export function decodeRecord(bytes: Uint8Array): ArchivedRecord | undefined {
  const reader = new Reader(bytes);
  let version = 0;
  let kind = 0;
  let recordId = '';
  let conversationId = '';
  let senderId = '';
  let acceptedMs = 0;
  let contentHash: Uint8Array = NOTHING;
  const recipientIds: string[] = [];
  while (reader.more()) {
    switch (reader.tag()) {
      case 0x08:
        version = reader.varint();
        break;
      case 0x12:
        recordId = reader.text();
        break;
      case 0x18:
        kind = reader.varint();
        break;
      case 0x22:
        conversationId = reader.text();
        break;
      case 0x2a:
        senderId = reader.text();
        break;
      case 0x32:
        recipientIds.push(reader.text());
        break;
      case 0x40:
        acceptedMs = reader.varint();
        break;
      case 0x4a:
        contentHash = reader.data();
        break;
      default:
        reader.skip(KNOWN);
    }
  }
  if (reader.broken || version < 1 || version > KNOWN_VERSION || (kind !== IM_EVENT && kind !== NOT_ACCEPTED))
    return undefined;
  const record: ArchivedRecord = {
    kind: kind === IM_EVENT ? 'event' : 'not-accepted',
    ...{ recordId, conversationId, senderId, recipientIds, acceptedMs, contentHash },
  };
  return isReadable(record) ? record : undefined;
}

/** The newest version that can be read; what a later one means is not known here. */
export const KNOWN_VERSION = 1;
const IM_EVENT = 1;
const NOT_ACCEPTED = 2;
/** Numbers of the fields that are read. */
const KNOWN: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 8, 9]);
