import { type CollectionSpec, type Doc, type Store, StoreError } from '@parley/store';
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
  const one = (query: Omit<Parameters<typeof links.scan>[1], 'limit'>) =>
    ifThere(async () => (await links.scan('place', { ...query, limit: 1 })).docs[0]);
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

/** Nothing where a newer server has not migrated yet: whoever upgrades makes a backup before. */
async function ifThere<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store.not_migrated') return undefined;
    throw error;
  }
}

interface LinkDoc extends Doc {
  readonly hashes: Uint8Array;
}

const AUDIT = 'archive_audit';
/** The audit log is one chain, whatever becomes of the log. */
const AUDIT_CHAIN = '0000000000000000/audit/0000';

/**
 * How far each chain reaches of which the second place makes statements: those of the archive, by `heads`, and that of
 * the audit log, whose entries are numbered from 1.
 */
export async function chainReach(archiving: Store, heads: readonly ChainHead[]): Promise<ReadonlyMap<string, number>> {
  const reach = new Map(heads.map(({ chain, next }) => [chain, next]));
  const spec = TARGETS.archiving.collections.find(c => c.name === AUDIT);
  if (!spec) return reach;
  const audit = archiving.collection(spec);
  const last = await ifThere(async () => (await audit.scan('number', { order: 'desc', limit: 1 })).docs[0]);
  return reach.set(AUDIT_CHAIN, Number(last?._id ?? 0) + 1);
}

const offsetOf = ({ _id }: LinkDoc): number => Number(_id.slice(_id.lastIndexOf('/') + 1));
