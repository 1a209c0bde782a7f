import type { CollectionSpec, Doc, Value } from '../store.ts';

/** Documents of the contract. */
export interface Thing extends Doc {
  readonly group?: string | number | boolean | null;
  readonly rank?: string | number | null;
  readonly mail?: string | null;
  readonly badge?: number | null;
  readonly tags?: readonly string[] | null;
  readonly names?: readonly string[] | null;
  readonly dueMs?: number | null;
  readonly endsMs?: number | null;
  readonly words?: readonly string[] | null;
  readonly room?: string | null;
  readonly sentMs?: number | null;
  readonly more?: Value | undefined;
  readonly payload?: Uint8Array;
}

/** One index of every kind. */
export const things: CollectionSpec<Thing> = {
  name: 'contract_things',
  indexes: {
    rank: { kind: 'ordered', fields: ['group', 'rank'] },
    mail: { kind: 'unique', fields: ['mail'], sparse: true },
    tag: { kind: 'ordered', fields: ['tags', 'rank'], array: 'tags' },
    name: { kind: 'ordered', fields: ['names'], array: 'names', sparse: true },
    badge: { kind: 'unique', fields: ['badge', 'group'], sparse: true },
    due: { kind: 'ordered', fields: ['dueMs'], sparse: true },
    ends: { kind: 'expiring', field: 'endsMs' },
    search: { kind: 'tokens', field: 'words', scope: 'room', newest: 'sentMs' },
    byId: { kind: 'ordered', fields: ['group', '_id'] },
  },
};

/** Documents of a clustered collection with a unique index of two fields. */
export interface Entry extends Doc {
  readonly place?: string | null;
  readonly key?: string | number | null;
  readonly payload?: Uint8Array;
}

/** A collection that asks to be clustered. */
export const entries: CollectionSpec<Entry> = {
  name: 'contract_entries',
  indexes: { place: { kind: 'unique', fields: ['place', 'key'] } },
  clusterBy: 'place',
};

/** Another collection of the same shape, for what must not meet. */
export const others: CollectionSpec<Thing> = { ...things, name: 'contract_others' };
