import {
  type Collection,
  type CollectionSpec,
  type Doc,
  type InsertResult,
  type Store,
  StoreError,
} from '@parley/store';

/** What goes wrong with the next writes; each field is used once and forgotten. */
export interface StoreFaults {
  /** In place of the insert of an event; `apply` carries it out. */
  insertEvent?: ((apply: () => Promise<InsertResult>) => Promise<InsertResult>) | undefined;
  insertRefusal?: ((apply: () => Promise<InsertResult>) => Promise<InsertResult>) | undefined;
}

/** How often events were read. */
export interface StoreReads {
  getMany: number;
}

/** A store whose inserts go wrong on demand. */
export function faultyStore(store: Store, faults: StoreFaults, reads: StoreReads): Store {
  const fieldOf = { im_events: 'insertEvent', im_refusals: 'insertRefusal' } as const;
  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const inner = store.collection(spec);
      return {
        ...inner,
        getMany(ids) {
          if (spec.name === 'im_events') reads.getMany++;
          return inner.getMany(ids);
        },
        insert(doc) {
          const field = fieldOf[spec.name as keyof typeof fieldOf];
          const fault = faults[field];
          if (!fault) return inner.insert(doc);
          faults[field] = undefined;
          return fault(() => inner.insert(doc));
        },
      };
    },
    migrate: specs => store.migrate(specs),
    now: () => store.now(),
    get connected() {
      return store.connected;
    },
    close: () => store.close(),
  };
}

export const notApplied = async (): Promise<never> => {
  throw new StoreError('store.unavailable', 'nothing was written');
};

export const appliedButUnknown = async (apply: () => Promise<InsertResult>): Promise<never> => {
  await apply();
  throw new StoreError('store.timeout', 'no answer', { outcome: 'unknown' });
};
