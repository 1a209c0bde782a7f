import { type Collection, type Doc, type Store, StoreError } from '@parley/store';

type Call = (...args: never[]) => Promise<unknown>;
const writes = new Set(['insert', 'insertMany', 'replace', 'delete', 'deleteMany']);

/** A store whose calls pass `around`, which may wait, fail or count. */
export function wrapStore(
  store: Store,
  around: (name: string, collection: string, call: Call) => Call,
  close: () => Promise<void> = () => store.close(),
): Store {
  return {
    ...store,
    get connected() {
      return store.connected;
    },
    now: () => store.now(),
    migrate: specs => store.migrate(specs),
    close,
    collection<T extends Doc>(spec: Parameters<Store['collection']>[0]) {
      const inner = store.collection(spec) as unknown as Record<string, Call>;
      const names = ['get', 'getMany', 'insert', 'insertMany', 'replace', 'delete', 'deleteMany', 'scan', 'count'];
      const bound = names.map(name => [name, around(name, spec.name, (inner[name] as Call).bind(inner))] as const);
      return Object.fromEntries(bound) as unknown as Collection<T>;
    },
  };
}

/** Every call takes some turns of the event loop, as many as the seed says: other callers get in between. */
export function dawdlingStore(store: Store, seed: number): Store {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const dawdle = async () => {
    for (let left = Math.floor(random() * 5); left > 0; left--) await new Promise(resolve => setImmediate(resolve));
  };
  return wrapStore(store, (_name, _collection, call) => async (...args) => {
    await dawdle();
    const result = await call(...args);
    await dawdle();
    return result;
  });
}

/** Fails the `nth` write from now on; `applied` says whether it happens all the same. */
export function failingStore(store: Store) {
  let nth = 0;
  let applied = false;
  let count = 0;
  const wrapped = wrapStore(store, (name, _collection, call) => async (...args) => {
    if (!writes.has(name) || ++count !== nth) return call(...args);
    if (applied) await call(...args);
    throw new StoreError('store.unavailable', 'cut off', { outcome: applied ? 'unknown' : 'not-applied' });
  });
  return {
    store: wrapped,
    fail(n: number, how: { readonly applied: boolean }) {
      nth = n;
      applied = how.applied;
      count = 0;
    },
    get writes() {
      return count;
    },
  };
}

/** Counts reads by collection. */
export function countingStore(store: Store) {
  const reads: string[] = [];
  const wrapped = wrapStore(store, (name, collection, call) => (...args) => {
    if (!writes.has(name)) reads.push(`${collection}.${name}`);
    return call(...args);
  });
  return { store: wrapped, reads };
}
