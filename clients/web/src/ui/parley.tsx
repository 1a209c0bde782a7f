import { createContext, type ReactNode, use, useCallback, useMemo, useSyncExternalStore } from 'react';
import {
  type Commands,
  type KeyPerPerson,
  type SharedState,
  type SingleKey,
  type TypedStore,
  typedStore,
} from '../engine/state.ts';
import type { Tabs } from '../tabs/tabs.ts';

/** What components work with. */
export interface Parley {
  readonly tabs: Tabs;
  readonly store: TypedStore;
  /** Has the leading tab do something. */
  call<K extends keyof Commands>(command: K, ...args: Parameters<Commands[K]>): Promise<ReturnType<Commands[K]>>;
  /** As `call`, for what shows its outcome in the shared state. */
  run<K extends keyof Commands>(command: K, ...args: Parameters<Commands[K]>): void;
}

const Context = createContext<Parley | undefined>(undefined);

/** Gives the tabs to everything below. */
export function ParleyProvider({ tabs, children }: { readonly tabs: Tabs; readonly children: ReactNode }) {
  const parley = useMemo<Parley>(() => {
    const call = (command: string, ...args: unknown[]) => tabs.call(command, ...args);
    return {
      tabs,
      store: typedStore(tabs.store),
      call: call as Parley['call'],
      run: (command, ...args) => void call(command, ...args).catch(() => undefined),
    };
  }, [tabs]);
  return <Context value={parley}>{children}</Context>;
}

export function useParley(): Parley {
  const parley = use(Context);
  if (!parley) throw new Error('outside of ParleyProvider');
  return parley;
}

function useKey(key: string): unknown {
  const { tabs } = useParley();
  const subscribe = useCallback((listener: () => void) => tabs.store.subscribe(key, listener), [tabs, key]);
  return useSyncExternalStore(subscribe, () => tabs.store.get(key));
}

/** A value that all tabs share. */
export const useShared = <K extends SingleKey>(key: K) => useKey(key) as SharedState[K] | undefined;

/** A value of a person that all tabs share. */
export const useSharedOf = <K extends KeyPerPerson>(key: K, personId: string) =>
  useKey(`${key}/${personId}`) as SharedState[K] | undefined;

/** Sum of the unread messages of these people. */
export function useUnreadOf(personIds: readonly string[]): number {
  const { tabs, store } = useParley();
  const subscribe = useCallback(
    (listener: () => void) => {
      const offs = personIds.map(id => tabs.store.subscribe(`unread/${id}`, listener));
      return () => offs.forEach(off => off());
    },
    [tabs, personIds],
  );
  return useSyncExternalStore(subscribe, () => personIds.reduce((sum, id) => sum + (store.of('unread', id) ?? 0), 0));
}

/** How this tab stands among the tabs of this browser. */
export function useRole() {
  const { tabs } = useParley();
  return useSyncExternalStore(tabs.onRole, tabs.role);
}

/** Id of the signed-in person; empty when nobody is. */
export function useSelf(): string {
  const session = useShared('session');
  return session !== undefined && 'personId' in session ? session.personId : '';
}
