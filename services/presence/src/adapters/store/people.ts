import type { Store } from '@parley/store';
import { people as spec } from '../../collections.ts';
import type { PersonDoc } from '../../domain/person.ts';
import type { People } from '../../ports/people.ts';
import { asked } from './failures.ts';

const PAGE = 500;
/** Where counting for the metrics stops. */
const MOST_COUNTED = 200_000;

export function storePeople(store: Store): People {
  const people = store.collection<PersonDoc>(spec);
  return {
    get: id => asked(people.get(id)),
    getMany: ids => asked(people.getMany(ids)),
    async save(doc) {
      if (doc._rev === undefined) {
        const { inserted } = await asked(people.insert(doc));
        return inserted ? { ...doc, _rev: 1 } : undefined;
      }
      const result = await asked(people.replace(doc, doc._rev));
      return result.replaced ? { ...doc, _rev: result.revision } : undefined;
    },
    async due(now, limit) {
      return (await asked(people.scan('next_change', { range: { lte: now }, limit }))).docs;
    },
    async nextChange() {
      return (await asked(people.scan('next_change', { limit: 1 }))).docs[0]?.nextChangeAt;
    },
    ofPod: (pod, after) =>
      asked(people.scan('pods', { equals: [pod], limit: PAGE, ...(after === undefined ? {} : { after }) })),
    countOfPod: pod => asked(people.count('pods', { equals: [pod] }, MOST_COUNTED)),
  };
}
