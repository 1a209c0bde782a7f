import type { Party } from '../domain/audit-entry.ts';
import { ARCHIVED, CONFLICT, NOT_ACCEPTED, PARKED } from '../domain/link.ts';
import type { FoundRecord } from './read-records.ts';

/** States of records in exports. */
export const STATE_NAMES: Readonly<Record<number, string>> = {
  [ARCHIVED]: 'archived',
  [CONFLICT]: 'conflict',
  [NOT_ACCEPTED]: 'not-accepted',
  [PARKED]: 'parked',
};

/** People as they were when the record was made. */
export function partiesOf({ record }: FoundRecord): { readonly sender: Party; readonly recipients: readonly Party[] } {
  const known = new Map(record?.people.map(person => [person.id, person]));
  const party = (id: string): Party => known.get(id) ?? { id, address: '', displayName: '' };
  const senderId = record?.senderId ?? '';
  const recipients = record?.recipientIds.filter(id => id !== senderId) ?? [];
  return { sender: party(senderId), recipients: recipients.map(party) };
}

/** Id of a record; what nobody can read is named by where it is kept. */
export const recordIdOf = ({ record, content }: FoundRecord): string => record?.recordId ?? content.id;

/** A record as one line of JSON. */
export function recordLine(found: FoundRecord): string {
  const { link, content, record, state, timeMs, intact } = found;
  const { sender, recipients } = partiesOf(found);
  return JSON.stringify({
    record_id: recordIdOf(found),
    link_id: link.place,
    state: STATE_NAMES[state] ?? String(state),
    ...(content.deniedBy !== undefined && { denied_by: content.deniedBy }),
    ...(!intact && { altered: true }),
    accepted: new Date(timeMs).toISOString(),
    accepted_ms: timeMs,
    conversation_id: record?.conversationId ?? '',
    kind: record?.eventKind ?? '',
    key: record?.key ?? '',
    sender: partyJson(sender),
    recipients: recipients.map(partyJson),
    text: record?.text ?? '',
    ...(record?.highImportance && { importance: 'high' }),
    ...(record?.targetId && { target_id: record.targetId }),
    decided_by: record?.decidedBy ?? '',
    critical: record?.critical ?? false,
    link_hash: Buffer.from(link.hash).toString('hex'),
    raw_sha256: Buffer.from(link.rawHash).toString('hex'),
    raw: Buffer.from(content.raw).toString('base64'),
  });
}

export const partyJson = ({ id, address, displayName }: Party) => ({ id, address, display_name: displayName });
