import { type Store, StoreError } from '@parley/store';
import { archiveContents, type ContentDoc } from '../../collections.ts';
import type { Content, ContentStore } from '../../ports/archive-store.ts';

const VERSION = 1;
const MOST_READS = 1_000;
const ATTEMPTS = 10;

export function createContentStore(store: Store): ContentStore {
  const contents = store.collection(archiveContents);

  async function getMany(ids: readonly string[]): Promise<readonly Content[]> {
    const found: Content[] = [];
    for (let i = 0; i < ids.length; i += MOST_READS)
      for (const doc of await contents.getMany(ids.slice(i, i + MOST_READS))) found.push(fromDoc(doc));
    return found;
  }

  return {
    getMany,
    async insert(made) {
      const results = await contents.insertMany(made.map(toDoc));
      const known = made.filter((_, i) => !results[i]?.inserted).map(content => content.id);
      if (known.length === 0) return made.map(() => undefined);
      const found = new Map((await getMany(known)).map(content => [content.id, content]));
      return made.map((content, i) => {
        if (results[i]?.inserted) return undefined;
        const there = found.get(content.id);
        if (!there) throw new Error(`content ${content.id} is there and is not`);
        return there;
      });
    },
    async setDenied(id, by) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const doc = await contents.get(id);
        if (!doc) return;
        const { denied: _, ...rest } = doc;
        const changed = by === undefined ? rest : { ...rest, denied: by };
        if ((await contents.replace(changed, doc._rev ?? 1)).replaced) return;
      }
      throw new Error(`content ${id} changes all the time`);
    },
    async listParked(limit, after) {
      try {
        const page = await contents.scan('parked', { limit, ...(after !== undefined && { after }) });
        return { contents: page.docs.map(fromDoc), next: page.next };
      } catch (error) {
        if (error instanceof StoreError && error.code === 'store.bad_cursor') return undefined;
        throw error;
      }
    },
    countParked: cap => contents.count('parked', {}, cap),
  };
}

function toDoc({ id, place, raw, conversationId, personIds, acceptedMs, parkedMs, parkReason }: Content): ContentDoc {
  const doc: ContentDoc = { _id: id, v: VERSION, place, raw };
  if (conversationId === undefined || personIds === undefined || acceptedMs === undefined)
    return { ...doc, parked: parkedMs ?? 0, ...(parkReason && { why: parkReason }) };
  return { ...doc, conv: conversationId, people: personIds, accepted: acceptedMs };
}

function fromDoc(doc: ContentDoc): Content {
  return {
    id: doc._id,
    place: doc.place,
    raw: doc.raw,
    ...(doc.conv === undefined ? {} : { conversationId: doc.conv }),
    ...(doc.people === undefined ? {} : { personIds: doc.people }),
    ...(doc.accepted === undefined ? {} : { acceptedMs: doc.accepted }),
    ...(doc.parked === undefined ? {} : { parkedMs: doc.parked }),
    ...(doc.why === undefined ? {} : { parkReason: doc.why }),
    ...(doc.denied === undefined ? {} : { deniedBy: doc.denied }),
  };
}
