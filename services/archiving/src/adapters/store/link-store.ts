import type { Store } from '@parley/store';
import { archiveLinks, type LinkDoc } from '../../collections.ts';
import type { Link } from '../../domain/link.ts';
import { withinChain } from '../../domain/place.ts';
import type { LinkStore } from '../../ports/archive-store.ts';

const VERSION = 1;
const HASH_BYTES = 32;
const MOST_WRITES = 10_000;

export function createLinkStore(store: Store): LinkStore {
  const links = store.collection(archiveLinks);
  const one = async (query: Parameters<typeof links.scan>[1]) => {
    const [doc] = (await links.scan('place', query)).docs;
    return doc && fromDoc(doc);
  };
  return {
    async insert(made) {
      const results: boolean[] = [];
      for (let i = 0; i < made.length; i += MOST_WRITES)
        for (const result of await links.insertMany(made.slice(i, i + MOST_WRITES).map(toDoc)))
          results.push(result.inserted);
      return results;
    },
    async get(place) {
      const doc = await links.get(place);
      return doc && fromDoc(doc);
    },
    async getMany(places) {
      return (await links.getMany(places)).map(fromDoc);
    },
    first: chain => one({ range: withinChain(chain), limit: 1 }),
    last: (chain, before = withinChain(chain).lt) =>
      one({ range: { gt: withinChain(chain).gt, lt: before }, order: 'desc', limit: 1 }),
    async page(chain, after, before, limit) {
      const range = { gt: after ?? withinChain(chain).gt, lt: before };
      return (await links.scan('place', { range, limit })).docs.map(fromDoc);
    },
    next: chain => one(chain === undefined ? { limit: 1 } : { range: { gt: withinChain(chain).lt }, limit: 1 }),
  };
}

function toDoc({ place, recordId, state, contentId, rawHash, hash }: Link): LinkDoc {
  const hashes = Buffer.allocUnsafe(HASH_BYTES * 2);
  hashes.set(rawHash, 0);
  hashes.set(hash, HASH_BYTES);
  const doc: LinkDoc = { _id: place, v: VERSION, record: recordId, state, hashes };
  return contentId === recordId ? doc : { ...doc, content: contentId };
}

function fromDoc(doc: LinkDoc): Link {
  return {
    place: doc._id,
    recordId: doc.record,
    state: doc.state,
    contentId: doc.content ?? doc.record,
    rawHash: doc.hashes.subarray(0, HASH_BYTES),
    hash: doc.hashes.subarray(HASH_BYTES),
  };
}
