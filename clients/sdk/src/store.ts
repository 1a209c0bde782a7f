/** Something that has a value now and tells when it has another; fits React's `useSyncExternalStore` as it is. */
export interface ReadableStore<T> {
  /** The value now; the same object until it changes. */
  getSnapshot(): T;
  /** Calls `listener` after every change; returns a function that stops it. */
  subscribe(listener: () => void): () => void;
}

/** A store that its owner can write. */
export interface WritableStore<T> extends ReadableStore<T> {
  /** Puts a new value in place; setting the same value tells nobody. */
  set(value: T): void;
}

/** Makes a store. A listener that throws does not keep the others from hearing. */
export function createStore<T>(initial: T): WritableStore<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    getSnapshot: () => value,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) callSafely(listener);
    },
  };
}

/** Calls a listener; what it throws is reported as an unhandled error, not to the caller. */
export function callSafely<A extends readonly unknown[]>(listener: (...args: A) => void, ...args: A): void {
  try {
    listener(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
