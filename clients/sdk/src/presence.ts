import { create } from '@bufbuild/protobuf';
import { type PresenceView, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { createStore, type ReadableStore, type WritableStore } from './store.ts';

/** Classes of availability, in the order of the numbers. */
export type AvailabilityClass =
  | 'unknown'
  | 'available'
  | 'inactive'
  | 'busy'
  | 'busy-idle'
  | 'do-not-disturb'
  | 'be-right-back'
  | 'away'
  | 'offline';

/** Upper bounds (exclusive) of the classes. */
const CLASSES: readonly (readonly [number, AvailabilityClass])[] = [
  [3000, 'unknown'],
  [4500, 'available'],
  [6000, 'inactive'],
  [7500, 'busy'],
  [9000, 'busy-idle'],
  [12_000, 'do-not-disturb'],
  [15_000, 'be-right-back'],
  [18_000, 'away'],
];

/** The class of an availability number. */
export function availabilityClass(availability: number): AvailabilityClass {
  return CLASSES.find(([below]) => availability < below)?.[1] ?? 'offline';
}

/** Live presence of the people this client watches. */
export interface PresenceStores {
  /** Presence of a person; `unknown` until the server has told. */
  of(personId: string): ReadableStore<PresenceView>;
  /** Takes note of a view from the server; older revisions are dropped. */
  apply(view: PresenceView): void;
  /** Nobody tells of these any longer: what is shown is no longer known. */
  forget(personIds: readonly string[]): void;
  /** The stream is down: what is shown is no longer known. */
  forgetAll(): void;
}

/** See {@link PresenceStores}. */
export function createPresenceStores(): PresenceStores {
  const stores = new Map<string, WritableStore<PresenceView>>();
  const storeOf = (personId: string) => {
    let store = stores.get(personId);
    if (!store) stores.set(personId, (store = createStore(create(PresenceViewSchema, { personId }))));
    return store;
  };
  const forget = (personIds: Iterable<string>) => {
    for (const personId of personIds) {
      const store = stores.get(personId);
      if (store && store.getSnapshot().revision > 0n) store.set(create(PresenceViewSchema, { personId }));
    }
  };
  return {
    of: storeOf,
    apply(view) {
      const store = storeOf(view.personId);
      if (view.revision >= store.getSnapshot().revision) store.set(view);
    },
    forget,
    forgetAll: () => forget(stores.keys()),
  };
}
