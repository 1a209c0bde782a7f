import type { Store } from '@parley/store';
import { archiveVerifications, type VerificationDoc } from '../../collections.ts';
import type { VerificationState, VerificationStore } from '../../ports/verification-store.ts';

const VERSION = 1;
const ID = 'everything';

export function createVerificationStore(store: Store): VerificationStore {
  const collection = store.collection(archiveVerifications);
  return {
    async read() {
      const doc = await collection.get(ID);
      return doc && fromDoc(doc);
    },
    async move(state) {
      const doc = toDoc(state);
      if (state.revision === 0) return (await collection.insert(doc)).inserted ? { ...state, revision: 1 } : undefined;
      const result = await collection.replace(doc, state.revision);
      return result.replaced ? { ...state, revision: result.revision } : undefined;
    },
  };
}

const toDoc = ({ dueMs, by, untilMs, last }: VerificationState): VerificationDoc => ({
  ...{ _id: ID, v: VERSION, due: dueMs, by, until: untilMs },
  ...(last && { last: { at: last.atMs, intact: last.intact, links: last.links, findings: last.findings } }),
});

const fromDoc = ({ due, by, until, last, _rev }: VerificationDoc): VerificationState => ({
  ...{ dueMs: due, by, untilMs: until, revision: _rev ?? 1 },
  ...(last && { last: { atMs: last.at, intact: last.intact, links: last.links, findings: last.findings } }),
});
