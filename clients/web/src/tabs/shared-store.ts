/** One change of a {@link SharedStore}: a whole value, a part of an array that was replaced, or a key that went. */
export type Change =
  | readonly [key: string, kind: 'set', value: unknown]
  | readonly [key: string, kind: 'splice', start: number, deleted: number, items: readonly unknown[]]
  | readonly [key: string, kind: 'gone'];

/**
 * Values by key, copied from the leading tab to all others. Values are plain data that can be cloned and are never
 * changed in place.
 */
export interface SharedStore {
  get(key: string): unknown;
  /** Puts a value in place; undefined removes the key. Setting the same value tells nobody. */
  set(key: string, value: unknown): void;
  keys(): string[];
  /** Calls `listener` after every change of `key`. */
  subscribe(key: string, listener: () => void): () => void;
  /** Everything, to begin a copy. */
  entries(): [string, unknown][];
  /** Becomes a copy of `entries`. */
  replace(entries: readonly (readonly [string, unknown])[]): void;
  /** Takes over changes; returns false when they do not fit what is here. */
  apply(changes: readonly Change[]): boolean;
  /** Calls `listener` with what changed, gathered until the running task has ended. One listener at a time. */
  onChanges(listener: ((changes: readonly Change[]) => void) | undefined): void;
}

/** See {@link SharedStore}. */
export function createSharedStore(): SharedStore {
  const values = new Map<string, unknown>();
  const listeners = new Map<string, Set<() => void>>();
  let changed = new Map<string, unknown>();
  let watcher: ((changes: readonly Change[]) => void) | undefined;

  function put(key: string, value: unknown): void {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
    for (const listener of [...(listeners.get(key) ?? [])]) listener();
  }

  function flush(): void {
    const before = changed;
    changed = new Map();
    const changes = [...before].flatMap(([key, old]) => differenceOf(key, old, values.get(key)));
    if (changes.length > 0) watcher?.(changes);
  }

  return {
    get: key => values.get(key),
    set(key, value) {
      const old = values.get(key);
      if (Object.is(old, value)) return;
      if (watcher) {
        if (changed.size === 0) queueMicrotask(flush);
        if (!changed.has(key)) changed.set(key, old);
      }
      put(key, value);
    },
    keys: () => [...values.keys()],
    subscribe(key, listener) {
      const those = listeners.get(key) ?? new Set();
      listeners.set(key, those);
      those.add(listener);
      return () => {
        those.delete(listener);
        if (those.size === 0 && listeners.get(key) === those) listeners.delete(key);
      };
    },
    entries: () => [...values],
    replace(entries) {
      const gone = new Set(values.keys());
      for (const [key, value] of entries) {
        gone.delete(key);
        put(key, value);
      }
      for (const key of gone) put(key, undefined);
    },
    apply(changes) {
      for (const change of changes) {
        const [key, kind] = change;
        if (kind === 'gone') put(key, undefined);
        else if (kind === 'set') put(key, change[2]);
        else {
          const [, , start, deleted, items] = change;
          const old = values.get(key);
          if (!Array.isArray(old) || start + deleted > old.length) return false;
          put(key, old.toSpliced(start, deleted, ...items));
        }
      }
      return true;
    },
    onChanges(listener) {
      watcher = listener;
      changed = new Map();
    },
  };
}

/** How `old` became `now`; for arrays only the part between what stayed the same at both ends. */
function differenceOf(key: string, old: unknown, now: unknown): Change[] {
  if (Object.is(old, now)) return [];
  if (now === undefined) return [[key, 'gone']];
  if (!Array.isArray(old) || !Array.isArray(now)) return [[key, 'set', now]];
  let start = 0;
  while (start < old.length && start < now.length && Object.is(old[start], now[start])) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && Object.is(old.at(-1 - end), now.at(-1 - end))) end++;
  const items: unknown[] = now.slice(start, now.length - end);
  return [[key, 'splice', start, old.length - start - end, items]];
}
