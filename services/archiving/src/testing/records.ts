import { create, toBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { ImEventKind, ImEventSchema } from '@parley/contracts/im/v1/im';

/** What differs from a record that anybody might have made. */
export interface RecordInit {
  readonly id: string;
  readonly text?: string;
  readonly kind?: ArchiveRecordKind;
  readonly hash?: number;
  readonly conversation?: string;
  readonly sender?: string;
  /** Everybody, the sender among them. */
  readonly people?: readonly { readonly id: string; readonly address?: string; readonly displayName?: string }[];
  readonly atMs?: number;
  readonly key?: string;
  readonly version?: number;
  readonly critical?: boolean;
}

/** When people begin to talk, milliseconds since 1970-01-01 UTC. */
export const NINE = 1_767_600_000_000;

/** A record of the archive log, as im writes it. */
export function recordOf({
  id,
  text = 'hi',
  kind = ArchiveRecordKind.IM_EVENT,
  hash = 1,
  conversation = 'd_1',
  sender = 'ann',
  people = [{ id: 'ann' }, { id: 'bob' }],
  atMs = NINE,
  key = '0000000000000abcde',
  version = 1,
  critical = false,
}: RecordInit) {
  const recipientIds = people.map(person => person.id);
  const acceptedMs = BigInt(atMs);
  const facts = { conversationId: conversation, senderId: sender, recipientIds, key, acceptedMs };
  const event = create(ImEventSchema, { ...facts, id, kind: ImEventKind.MESSAGE, content: { text } });
  return toBinary(
    ArchiveRecordSchema,
    create(ArchiveRecordSchema, {
      ...{ ...facts, version, critical, recordId: id, kind, contentHash: new Uint8Array(32).fill(hash) },
      ...{ event: toBinary(ImEventSchema, event), decidedBy: 'global' },
      people: people.map(person => ({ ...person })),
    }),
  );
}
