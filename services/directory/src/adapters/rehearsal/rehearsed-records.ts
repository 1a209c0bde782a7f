import * as collections from '../../collections.ts';
import type { Records } from '../../ports/records.ts';
import { rehearsedCollection } from './rehearsed-collection.ts';

/** Reads see what was "written" here, and nothing of it is stored. For one call, or one file. */
export function rehearsedRecords(records: Records): Records {
  return {
    people: rehearsedCollection(records.people, collections.people),
    accounts: rehearsedCollection(records.accounts, collections.accounts),
    addresses: rehearsedCollection(records.addresses, collections.addresses),
    signIns: rehearsedCollection(records.signIns, collections.signIns),
    attempts: rehearsedCollection(records.attempts, collections.attempts),
    guards: rehearsedCollection(records.guards, collections.guards),
    photos: rehearsedCollection(records.photos, collections.photos),
    externalIds: rehearsedCollection(records.externalIds, collections.externalIds),
    groups: rehearsedCollection(records.groups, collections.groups),
    memberships: rehearsedCollection(records.memberships, collections.memberships),
    policies: rehearsedCollection(records.policies, collections.policies),
    storeNow: () => records.storeNow(),
  };
}
