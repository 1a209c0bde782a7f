import type { TopicSpec } from '@parley/event-log';
import type { CollectionSpec, Doc } from '@parley/store';
import type { LeaseDoc } from './domain/lease.ts';
import type { PersonDoc } from './domain/person.ts';

export const people = {
  name: 'presence_people',
  indexes: {
    next_change: { kind: 'ordered', fields: ['nextChangeAt'], sparse: true },
    pods: { kind: 'ordered', fields: ['pods'], array: 'pods' },
  },
} as const satisfies CollectionSpec<PersonDoc>;

export const leases = {
  name: 'presence_leases',
  indexes: { due: { kind: 'ordered', fields: ['dueAt'] } },
} as const satisfies CollectionSpec<LeaseDoc>;

/** Everything presence keeps. */
export const presenceCollections: readonly CollectionSpec<Doc>[] = [people, leases];

/** Presence keeps no log: it is the state of this moment. */
export const presenceTopics: readonly TopicSpec[] = [];
