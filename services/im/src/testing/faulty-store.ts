import {
  type Collection,
  type CollectionSpec,
  type Doc,
  type InsertResult,
  type ReplaceResult,
  type Store,
  StoreError,
} from '@parley/store';

type Fault<T> = (apply: () => Promise<T>) => Promise<T>;

/** What goes wrong with the next writes; each field is used once and forgotten. */
export interface StoreFaults {
  /** In place of the insert of events; `apply` carries it out. */
  insertEvent?: Fault<readonly InsertResult[]> | undefined;
  insertRefusal?: Fault<InsertResult> | undefined;
  /** In place of a replace of an event or a refusal. */
  replaceEvent?: Fault<ReplaceResult> | undefined;
}

/** How often events were read, and how often the store was called for them at all. */
export interface StoreReads {
  getMany: number;
  calls: number;
}

/** A store whose inserts go wrong on demand. */
export function faultyStore(store: Store, faults: StoreFaults, reads: StoreReads): Store {
  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const inner = counted(store.collection(spec), () => reads.calls++);
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
          if (spec.name !== 'im_events' || !fault) return inner.insert(doc);
          faults.insertRefusal = undefined;
          return fault(() => inner.insert(doc));
        },
        replace(doc, revision) {
          const fault = faults.replaceEvent;
          if (spec.name !== 'im_events' || !fault) return inner.replace(doc, revision);
          faults.replaceEvent = undefined;
          return fault(() => inner.replace(doc, revision));
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

function counted<T extends Doc>(inner: Collection<T>, count: () => void): Collection<T> {
  return new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        count();
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}

export const notApplied = async (): Promise<never> => {
  throw new StoreError('store.unavailable', 'nothing was written');
};

export const appliedButUnknown = async (apply: () => Promise<unknown>): Promise<never> => {
  await apply();
  throw new StoreError('store.timeout', 'no answer', { outcome: 'unknown' });
};
