import type { EventDoc } from '../../collections.ts';
import { floorKey, parseKey } from '../../domain/hybrid-clock.ts';
import type { Refusal, StoredEvent } from '../../ports/event-store.ts';

const VERSION = 1;
const NOTHING = new Uint8Array();

/** Where refusals stand in the index of conversations, by the time until which they are kept: in nobody's inbox. */
export const REFUSALS = '';

export const isRefusalDoc = (doc: EventDoc): boolean => doc.conv === REFUSALS;

export function toDoc({ id, conversationId, key, recipientIds, payload, pending }: StoredEvent): EventDoc {
  const doc: EventDoc = { _id: id, v: VERSION, conv: conversationId, key, recipients: recipientIds, payload };
  return pending ? { ...doc, archivePending: pending.sinceMs, pendingRecord: pending.record } : doc;
}

export function fromDoc(doc: EventDoc): StoredEvent {
  const event: StoredEvent = {
    id: doc._id,
    conversationId: doc.conv,
    key: doc.key,
    recipientIds: doc.recipients,
    payload: doc.payload,
    revision: doc._rev ?? 1,
  };
  if (!doc.pendingRecord) return event;
  return { ...event, pending: { record: doc.pendingRecord, sinceMs: doc.archivePending ?? 0 } };
}

export function toRefusalDoc(id: string, untilMs: number): EventDoc {
  return { _id: id, v: VERSION, conv: REFUSALS, key: floorKey(untilMs), recipients: [], payload: NOTHING };
}

/** The event, or the refusal in its place. */
export function foundOf(doc: EventDoc): StoredEvent | Refusal {
  if (!isRefusalDoc(doc)) return fromDoc(doc);
  return { id: doc._id, refusedUntilMs: parseKey(doc.key)?.ms ?? 0, revision: doc._rev ?? 1 };
}
