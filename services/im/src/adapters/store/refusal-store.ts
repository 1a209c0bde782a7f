import type { Store } from '@parley/store';
import { imRefusals } from '../../collections.ts';
import type { RefusalStore } from '../../ports/event-store.ts';

export function createRefusalStore(store: Store): RefusalStore {
  const refusals = store.collection(imRefusals);
  return {
    async put(eventId, untilMs) {
      // A refusal of an earlier try stands for this one too.
      await refusals.insert({ _id: eventId, v: 1, until: untilMs });
    },
    async find(eventIds) {
      return new Set((await refusals.getMany(eventIds)).map(doc => doc._id));
    },
  };
}
