import type { CollectionSpec, Doc, Store } from '@parley/store';
import { TARGETS } from '../targets.ts';

/** How one chain of the archive begins and ends. */
export interface ChainHead {
  /** `epoch/topic/partition`. */
  readonly chain: string;
  readonly first: number;
  readonly next: number;
  /** Hash of the last link, lower-case hexadecimal. */
  readonly hash: string;
}

const LINKS = 'archive_links';
/** Where the link's own hash stands: behind that of the record. */
const HASH_AT = 32;

/** Every chain of the archive, in order. Reads two links of each. */
export async function archiveHeads(archiving: Store): Promise<readonly ChainHead[]> {
  const spec = TARGETS.archiving.collections.find(c => c.name === LINKS) as CollectionSpec<LinkDoc> | undefined;
  if (!spec) throw new Error(`archiving has no collection ${LINKS}`);
  const links = archiving.collection(spec);
  const one = async (query: Omit<Parameters<typeof links.scan>[1], 'limit'>) =>
    (await links.scan('place', { ...query, limit: 1 })).docs[0];
  const heads: ChainHead[] = [];
  for (let first = await one({}); first; ) {
    const chain = first._id.slice(0, first._id.lastIndexOf('/'));
    // Everything of the chain lies between `chain/` and `chain0`.
    const last = await one({ range: { gte: first._id, lt: `${chain}0` }, order: 'desc' });
    heads.push({
      chain,
      first: offsetOf(first),
      next: offsetOf(last ?? first) + 1,
      hash: Buffer.from((last ?? first).hashes.subarray(HASH_AT)).toString('hex'),
    });
    first = await one({ range: { gte: `${chain}0` } });
  }
  return heads;
}

interface LinkDoc extends Doc {
  readonly hashes: Uint8Array;
}

const offsetOf = ({ _id }: LinkDoc): number => Number(_id.slice(_id.lastIndexOf('/') + 1));
