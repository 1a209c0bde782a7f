import {
  type Collection,
  type CollectionSpec,
  type Doc,
  type InsertResult,
  type Store,
  StoreError,
} from '@parley/store';

type Fault<T> = (apply: () => Promise<T>) => Promise<T>;

/** What goes wrong with the next writes; each field is used once and forgotten. */
export interface StoreFaults {
  /** In place of the insert of events; `apply` carries it out. */
  insertEvent?: Fault<readonly InsertResult[]> | undefined;
  insertRefusal?: Fault<InsertResult> | undefined;
}

/** How often events were read. */
export interface StoreReads {
  getMany: number;
}

/** A store whose inserts go wrong on demand. */
export function faultyStore(store: Store, faults: StoreFaults, reads: StoreReads): Store {
  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const inner = store.collection(spec);
      return {
        ...inner,
        getMany(ids) {
          if (spec.name === 'im_events') reads.getMany++;
          return inner.getMany(ids);
        },
        async insertMany(docs) {
          const fault = faults.insertEvent;
          if (spec.name !== 'im_events' || !fault) return inner.insertMany(docs);
          faults.insertEvent = undefined;
          return fault(() => inner.insertMany(docs));
        },
        insert(doc) {
          const fault = faults.insertRefusal;
          if (spec.name !== 'im_refusals' || !fault) return inner.insert(doc);
          faults.insertRefusal = undefined;
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

export const appliedButUnknown = async (apply: () => Promise<unknown>): Promise<never> => {
  await apply();
  throw new StoreError('store.timeout', 'no answer', { outcome: 'unknown' });
};
