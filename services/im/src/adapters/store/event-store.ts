import type { Collection, InsertResult, Store, StoreFailure } from '@parley/store';
import { type EventDoc, imEvents } from '../../collections.ts';
import type { EventStore, InsertOutcome, StoredEvent } from '../../ports/event-store.ts';
import { createBatcher } from '../batcher.ts';

const VERSION = 1;
const MOST_DOCS = 250;
const INSERTED: InsertOutcome = { kind: 'inserted' };

export function createEventStore(store: Store): EventStore {
  const events = store.collection(imEvents);
  const insertOne = createBatcher((docs: readonly EventDoc[]) => events.insertMany(docs), MOST_DOCS);
  return {
    insert: event => insert(insertOne, events, event),
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

type InsertOne = (doc: EventDoc) => Promise<InsertResult>;

async function insert(insertOne: InsertOne, events: Collection<EventDoc>, event: StoredEvent): Promise<InsertOutcome> {
  try {
    const result = await insertOne(toDoc(event));
    if (result.inserted) return INSERTED;
    const existing = await events.get(event.id);
    // Nobody deletes events, so a missing one means that the store contradicts itself.
    if (!existing) return { kind: 'failed', outcome: 'unknown', cause: new Error('duplicate of nothing') };
    return { kind: 'exists', event: fromDoc(existing) };
  } catch (cause) {
    return { kind: 'failed', outcome: (cause as Partial<StoreFailure>).outcome ?? 'unknown', cause };
  }
}

function toDoc({ id, conversationId, key, recipientIds, payload, pending }: StoredEvent): EventDoc {
  const doc: EventDoc = { _id: id, v: VERSION, conv: conversationId, key, recipients: recipientIds, payload };
  return pending ? { ...doc, archivePending: pending.sinceMs, pendingRecord: pending.record } : doc;
}

function fromDoc(doc: EventDoc): StoredEvent {
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
