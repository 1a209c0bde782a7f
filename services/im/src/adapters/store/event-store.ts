import type { Collection, InsertResult, Store, StoreFailure } from '@parley/store';
import { type EventDoc, imEvents } from '../../collections.ts';
import type { EventStore, InsertOutcome, Refusal, StoredEvent } from '../../ports/event-store.ts';
import { createBatcher } from '../batcher.ts';
import { foundOf, fromDoc, isRefusalDoc, toDoc } from './event-doc.ts';

const MOST_DOCS = 250;
const INSERTED: InsertOutcome = { kind: 'inserted', revision: 1 };
const REFUSED: InsertOutcome = { kind: 'refused' };

export function createEventStore(store: Store): EventStore {
  const events = store.collection(imEvents);
  const insertOne = createBatcher((docs: readonly EventDoc[]) => events.insertMany(docs), MOST_DOCS);
  return {
    insert: (event, over) => insert(insertOne, events, event, over),
    async find(id) {
      const doc = await events.get(id);
      return doc && foundOf(doc);
    },
    async findMany(ids) {
      return (await events.getMany(ids)).map(foundOf);
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

async function insert(
  insertOne: InsertOne,
  events: Collection<EventDoc>,
  event: StoredEvent,
  over: Refusal | undefined,
): Promise<InsertOutcome> {
  try {
    const doc = toDoc(event);
    const replaced = over && (await events.replace(doc, over.revision));
    if (replaced?.replaced) return { kind: 'inserted', revision: replaced.revision };
    // A refusal that is gone was forgotten.
    if ((!replaced || replaced.reason === 'missing') && (await insertOne(doc)).inserted) return INSERTED;
    const existing = await events.get(event.id);
    // Nobody deletes events: it was a refusal, forgotten this moment, or the store contradicts itself.
    if (!existing) return { kind: 'failed', outcome: 'unknown', cause: new Error('duplicate of nothing') };
    return isRefusalDoc(existing) ? REFUSED : { kind: 'exists', event: fromDoc(existing) };
  } catch (cause) {
    return { kind: 'failed', outcome: (cause as Partial<StoreFailure>).outcome ?? 'unknown', cause };
  }
}
