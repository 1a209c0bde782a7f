import type { CollectionSpec, Doc } from '@parley/store';
import * as collections from '../../collections.ts';
import type { Records } from '../../ports/records.ts';
import { rehearsedCollection } from './rehearsed-collection.ts';

/** Reads see what was "written" here, and nothing of it is stored. For one call, or one file. */
export function rehearsedRecords(records: Records): Records {
  const of = <K extends Exclude<keyof Records, 'storeNow'>>(name: K): Records[K] =>
    rehearsedCollection(records[name] as never, collections[name] as unknown as CollectionSpec<Doc>) as never;
  return {
    people: of('people'),
    accounts: of('accounts'),
    addresses: of('addresses'),
    signIns: of('signIns'),
    attempts: of('attempts'),
    guards: of('guards'),
    photos: of('photos'),
    externalIds: of('externalIds'),
    groups: of('groups'),
    memberships: of('memberships'),
    policies: of('policies'),
    storeNow: () => records.storeNow(),
  };
}
