import type { Store } from '@parley/store';
import { imEvents } from '../../collections.ts';
import { floorKey } from '../../domain/hybrid-clock.ts';
import type { RefusalStore } from '../../ports/event-store.ts';
import { fromDoc, isRefusalDoc, REFUSALS, toRefusalDoc } from './event-doc.ts';

/** Somebody else writes the same id at the same moment; nobody does so for long. */
const TRIES = 8;

export function createRefusalStore(store: Store): RefusalStore {
  const events = store.collection(imEvents);
  return {
    async put(eventId, untilMs) {
      const refusal = toRefusalDoc(eventId, untilMs);
      for (let i = 0; i < TRIES; i++) {
        if ((await events.insert(refusal)).inserted) return undefined;
        const there = await events.get(eventId);
        if (!there) continue;
        if (!isRefusalDoc(there)) return fromDoc(there);
        // Again, though it is there: a try that read it may be under way, and its revision is what that one waits for.
        if ((await events.replace(refusal, there._rev ?? 1)).replaced) return undefined;
      }
      throw new Error('the event and its refusal keep changing');
    },
    async forget(ms, limit) {
      const { docs } = await events.scan('conversation', { equals: [REFUSALS], range: { lt: floorKey(ms) }, limit });
      for (const doc of docs) await events.delete(doc._id, doc._rev ?? 1);
      return docs.length;
    },
  };
}
