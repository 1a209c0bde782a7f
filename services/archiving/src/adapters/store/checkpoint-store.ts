import type { Store } from '@parley/store';
import { archiveCheckpoints, type CheckpointDoc } from '../../collections.ts';
import { checkpointId, type SignedCheckpoint } from '../../domain/checkpoint.ts';
import { placeOf, withinChain } from '../../domain/place.ts';
import type { CheckpointStore } from '../../ports/archive-store.ts';

export function createCheckpointStore(store: Store): CheckpointStore {
  const checkpoints = store.collection(archiveCheckpoints);
  const one = async (query: Parameters<typeof checkpoints.scan>[1]) => {
    const [doc] = (await checkpoints.scan('place', query)).docs;
    return doc && fromDoc(doc);
  };
  return {
    async insert(checkpoint) {
      await checkpoints.insert(toDoc(checkpoint));
    },
    last: chain => one({ range: withinChain(chain), order: 'desc', limit: 1 }),
    async get(chain, next) {
      const doc = await checkpoints.get(placeOf(chain, next));
      return doc && fromDoc(doc);
    },
    async page(chain, after, limit) {
      const range = { gt: placeOf(chain, after), lt: withinChain(chain).lt };
      return (await checkpoints.scan('place', { range, limit })).docs.map(fromDoc);
    },
    next: chain => one(chain === undefined ? { limit: 1 } : { range: { gt: withinChain(chain).lt }, limit: 1 }),
  };
}

function toDoc({ atMs, ...rest }: SignedCheckpoint): CheckpointDoc {
  return { _id: checkpointId({ ...rest, atMs }), v: 1, ...rest, at: atMs };
}

function fromDoc({
  epoch,
  topic,
  partition,
  first,
  next,
  hash,
  at,
  keyId,
  signature,
}: CheckpointDoc): SignedCheckpoint {
  return { epoch, topic, partition, first, next, hash, atMs: at, keyId, signature };
}
