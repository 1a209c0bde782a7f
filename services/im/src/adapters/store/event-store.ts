import type { Collection, Store, StoreFailure } from '@parley/store';
import { type EventDoc, imEvents } from '../../collections.ts';
import type { EventStore, InsertOutcome, StoredEvent } from '../../ports/event-store.ts';

const VERSION = 1;

export function createEventStore(store: Store): EventStore {
  const events = store.collection(imEvents);
  return {
    insert: event => insert(events, event),
    async find(id) {
      const doc = await events.get(id);
      return doc && fromDoc(doc);
    },
    async findMany(ids) {
      return (await events.getMany(ids)).map(fromDoc);
    },
    async replace(event) {
      const result = await events.replace(toDoc(event), event.revision ?? 1);
      return result.replaced;
    },
    async inbox(personId, after, upTo, limit) {
      const page = await events.scan('inbox', { equals: [personId], range: { gt: after, lte: upTo }, limit });
      return page.docs.map(fromDoc);
    },
    async history(conversationId, before, limit) {
      const range = before === undefined ? {} : { range: { lt: before } };
      const page = await events.scan('conversation', { equals: [conversationId], ...range, order: 'desc', limit });
      return page.docs.map(fromDoc);
    },
    async pending(limit) {
      return (await events.scan('pending', { limit })).docs.map(fromDoc);
    },
    countPending: cap => events.count('pending', {}, cap),
  };
}

async function insert(events: Collection<EventDoc>, event: StoredEvent): Promise<InsertOutcome> {
  try {
    const result = await events.insert(toDoc(event));
    if (result.inserted) return { kind: 'inserted' };
    const existing = await events.get(event.id);
    // Nobody deletes events, so a missing one means that the store contradicts itself.
    if (!existing) return { kind: 'failed', outcome: 'unknown', cause: new Error('duplicate of nothing') };
    return { kind: 'exists', event: fromDoc(existing) };
  } catch (cause) {
    return { kind: 'failed', outcome: (cause as Partial<StoreFailure>).outcome ?? 'unknown', cause };
  }
}

function toDoc(event: StoredEvent): EventDoc {
  const doc: EventDoc = {
    _id: event.id,
    v: VERSION,
    conv: event.conversationId,
    key: event.key,
    kind: event.kind,
    recipients: event.recipientIds,
    hash: Buffer.from(event.hash).toString('base64url'),
    accepted: event.acceptedMs,
    payload: event.payload,
  };
  return event.pendingRecord ? { ...doc, archivePending: event.acceptedMs, pendingRecord: event.pendingRecord } : doc;
}

function fromDoc(doc: EventDoc): StoredEvent {
  const event: StoredEvent = {
    id: doc._id,
    conversationId: doc.conv,
    key: doc.key,
    kind: doc.kind,
    recipientIds: doc.recipients,
    hash: Buffer.from(doc.hash, 'base64url'),
    acceptedMs: doc.accepted,
    payload: doc.payload,
    revision: doc._rev ?? 1,
  };
  return doc.pendingRecord ? { ...event, pendingRecord: doc.pendingRecord } : event;
}
