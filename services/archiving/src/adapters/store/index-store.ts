import { hash } from 'node:crypto';
import type { ScanQuery, Store } from '@parley/store';
import { archiveIndex, archiveIndexPositions, archiveNames, type IndexBlockDoc } from '../../collections.ts';
import { dayOf, decodeBlock, encodeBlock, type IndexBlock, type SealedBlock } from '../../domain/index-block.ts';
import type { IndexPosition, IndexStore } from '../../ports/index-store.ts';

const VERSION = 1;
/** People of one address that are looked for. */
const MOST_IDS = 50;

export function createIndexStore(store: Store): IndexStore {
  const blocks = store.collection(archiveIndex);
  const positions = store.collection(archiveIndexPositions);
  const names = store.collection(archiveNames);
  const oneDay = async (query: Omit<ScanQuery, 'limit'>) => {
    const [doc] = (await blocks.scan('days', { ...query, limit: 1 })).docs;
    return doc?.day;
  };
  return {
    async get(id) {
      const doc = await blocks.get(id);
      return doc && { block: decodeBlock(fromDoc(doc)), revision: doc._rev ?? 1 };
    },
    insert: async block => (await blocks.insert(toDoc(block))).inserted,
    replace: async (block, revision) => (await blocks.replace(toDoc(block), revision)).replaced,
    async day(day, tokens, limit, after) {
      const more = { limit, ...(after !== undefined && { after }) };
      const { docs, next } =
        tokens.length > 0
          ? await blocks.scan('words', { equals: [day], words: tokens, ...more })
          : await blocks.scan('days', { equals: [day], order: 'desc', ...more });
      return { blocks: docs.map(fromDoc), next };
    },
    dayBefore: day => oneDay({ range: { lt: day }, order: 'desc' }),
    dayFrom: day => oneDay({ range: { gte: day } }),
    async addNames(found) {
      await names.insertMany(
        found.map(({ personId, address }) => ({
          _id: nameId(personId, address),
          v: VERSION,
          person: personId,
          address,
        })),
      );
    },
    idsOf: async address =>
      (await names.scan('address', { equals: [address], limit: MOST_IDS })).docs.map(doc => doc.person),
    isKnown: async personId => (await names.scan('person', { equals: [personId], limit: 1 })).docs.length > 0,
    async position(chain) {
      const doc = await positions.get(chain);
      if (!doc) return undefined;
      const { next, open, by, until, _rev } = doc;
      const opened = open.map(({ top, id }) => ({ topMs: top, id }));
      return { chain, next, open: opened, by, untilMs: until, revision: _rev ?? 1 };
    },
    async move(position) {
      const { chain, next, open, by, untilMs, revision } = position;
      const opened = open.map(({ topMs, id }) => ({ top: topMs, id }));
      const doc = { _id: chain, v: VERSION, next, open: opened, by, until: untilMs };
      if (revision === 0) {
        const { inserted } = await positions.insert(doc);
        return inserted ? { ...position, revision: 1 } : undefined;
      }
      const result = await positions.replace(doc, revision);
      return result.replaced ? ({ ...position, revision: result.revision } satisfies IndexPosition) : undefined;
    },
  };
}

const nameId = (personId: string, address: string): string => hash('sha256', `${personId}\n${address}`, 'base64url');

function toDoc(block: IndexBlock): IndexBlockDoc {
  const { words, data } = encodeBlock(block);
  // The slot ends with the day at the latest.
  return { _id: block.id, v: VERSION, day: dayOf(block.topMs - 1), top: block.topMs, to: block.to, words, data };
}

const fromDoc = ({ _id, top, to, words, data }: IndexBlockDoc): SealedBlock => ({
  ...{ id: _id, topMs: top, to, words, data },
});
