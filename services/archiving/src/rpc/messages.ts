import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ArchivedItemSchema,
  ArchivedPartySchema,
  AuditEntrySchema,
  RecordState,
} from '@parley/contracts/archive/v1/archive';
import type { FoundRecord } from '../app/read-records.ts';
import { partiesOf, recordIdOf } from '../app/record-line.ts';
import type { AuditEntry, Party } from '../domain/audit-entry.ts';

const partyMessage = ({ id, address, displayName }: Party): MessageInitShape<typeof ArchivedPartySchema> => ({
  ...{ id, address, displayName },
});

export function itemMessage(found: FoundRecord): MessageInitShape<typeof ArchivedItemSchema> {
  const { record, link, state, timeMs } = found;
  const { sender, recipients } = partiesOf(found);
  return {
    recordId: recordIdOf(found),
    linkId: link.place,
    state: state as RecordState,
    acceptedMs: BigInt(timeMs),
    conversationId: record?.conversationId ?? '',
    ...(sender.id !== '' && { sender: partyMessage(sender) }),
    recipients: recipients.map(partyMessage),
    text: record?.text ?? '',
    kind: record?.eventKind ?? '',
    decidedBy: record?.decidedBy ?? '',
  };
}

export function entryMessage(entry: AuditEntry): MessageInitShape<typeof AuditEntrySchema> {
  const { number, auditId, atMs, person, action, purpose, detailJson, outcomeJson, peer, hash } = entry;
  return {
    ...{ auditId, action, detailJson, outcomeJson, peer, hash },
    number: BigInt(number),
    atMs: BigInt(atMs),
    person: partyMessage(person),
    purpose: { caseId: purpose.caseId, reason: purpose.reason },
  };
}
