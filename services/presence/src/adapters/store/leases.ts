import type { Store } from '@parley/store';
import { leases as spec } from '../../collections.ts';
import type { LeaseDoc } from '../../domain/lease.ts';
import type { Leases } from '../../ports/leases.ts';
import { asked } from './failures.ts';

export function storeLeases(store: Store): Leases {
  const leases = store.collection<LeaseDoc>(spec);
  return {
    get: pod => asked(leases.get(pod)),
    getMany: pods => asked(leases.getMany(pods)),
    async save(lease) {
      if (lease._rev === undefined) return (await asked(leases.insert(lease))).inserted;
      return (await asked(leases.replace(lease, lease._rev))).replaced;
    },
    async forget(lease) {
      await asked(leases.delete(lease._id, lease._rev));
    },
    async due(now, limit) {
      return (await asked(leases.scan('due', { range: { lte: now }, limit }))).docs;
    },
    async all(limit) {
      return (await asked(leases.scan('due', { limit }))).docs;
    },
  };
}
