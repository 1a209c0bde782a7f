import type { Account } from '../../domain/account.ts';
import { claimId } from '../../domain/address-claim.ts';
import { externalIdKey } from '../../domain/external-id.ts';
import { type Group, groupKey, type Membership } from '../../domain/group.ts';
import type { ImportRow } from '../../domain/import-row.ts';
import { ownsAddress, type Person, personIdOf } from '../../domain/person.ts';
import type { Records, Stored } from '../../ports/records.ts';
import { findGroupByName } from '../groups.ts';
import { membershipsOf } from '../memberships.ts';
import { getAll } from '../update.ts';

/** What is known of the people and groups that rows speak of, as it was when they were read. */
export interface Known {
  byExternalId(externalId: string): Stored<Person> | undefined;
  /** Also by a former address. */
  byAddress(address: string): Stored<Person> | undefined;
  byId(id: string): Stored<Person> | undefined;
  account(id: string): Stored<Account> | undefined;
  group(name: string): Stored<Group> | undefined;
  /** Ids of the groups that a person is in; only of those whose row names groups. */
  groupsOf(personId: string): ReadonlySet<string>;
}

/** The person that a row is about. */
export function targetOf(known: Known, row: ImportRow): Stored<Person> | undefined {
  const byKey = row.externalId === '' ? undefined : known.byExternalId(row.externalId);
  if (byKey) return byKey;
  const owner = known.byAddress(row.address);
  return owner?.addresses.includes(row.address) ? owner : undefined;
}

/** The same row always makes the same person, whoever imports it and however often. */
export function newPersonId(row: ImportRow): string {
  return personIdOf(row.externalId === '' ? `import address:${row.address}` : `import key:${row.externalId}`);
}

export type KnownNeeds = Pick<Records, 'people' | 'accounts' | 'addresses' | 'externalIds' | 'groups' | 'memberships'>;

/** Some reads for any number of rows, and one for each group and each person whose groups are given. */
export async function loadKnown(needs: KnownNeeds, rows: readonly ImportRow[]): Promise<Known> {
  const managers = rows.flatMap(row => row.manager || []);
  const externalIds = [...rows.flatMap(row => row.externalId || []), ...managers];
  const addresses = rows.flatMap(row => [row.address, ...row.otherAddresses]);
  const [keyClaims, addressClaims] = await Promise.all([
    getAll(needs.externalIds, externalIds.map(externalIdKey)),
    getAll(needs.addresses, [...addresses, ...managers.filter(ref => ref.includes('@'))].map(claimId)),
  ]);
  const owners = [...keyClaims.values(), ...addressClaims.values()].map(claim => claim.personId);
  const ids = [...owners, ...rows.map(newPersonId), ...managers.filter(ref => !ref.includes('@'))];
  const usable = ids.filter(id => Buffer.byteLength(id) <= 64);
  const [people, accounts] = await Promise.all([getAll(needs.people, usable), getAll(needs.accounts, usable)]);
  const known = {
    byExternalId(externalId: string) {
      const owner = people.get(keyClaims.get(externalIdKey(externalId))?.personId ?? '');
      return owner?.externalId === externalId ? owner : undefined;
    },
    byAddress(address: string) {
      const owner = people.get(addressClaims.get(claimId(address))?.personId ?? '');
      return owner && ownsAddress(owner, address) ? owner : undefined;
    },
    byId: (id: string) => people.get(id),
    account: (id: string) => accounts.get(id),
  };
  const grouped = rows.filter(row => row.groups);
  const names = new Map(grouped.flatMap(row => row.groups ?? []).map(name => [groupKey(name), name]));
  const members = new Set(grouped.flatMap(row => targetOf({ ...known, ...noGroups }, row)?._id ?? newPersonId(row)));
  const [groups, memberships] = await Promise.all([groupsByKey(needs, names), membershipsByPerson(needs, members)]);
  return {
    ...known,
    group: name => groups.get(groupKey(name)),
    groupsOf: personId => new Set((memberships.get(personId) ?? []).map(doc => doc.groupId)),
  };
}

const noGroups = { group: () => undefined, groupsOf: () => new Set<string>() };

async function groupsByKey(needs: KnownNeeds, names: ReadonlyMap<string, string>) {
  const found = await Promise.all(
    [...names].map(async ([key, name]) => [key, await findGroupByName(needs, name)] as const),
  );
  return new Map<string, Stored<Group> | undefined>(found);
}

async function membershipsByPerson(needs: KnownNeeds, ids: ReadonlySet<string>) {
  const found = await Promise.all([...ids].map(async id => [id, await membershipsOf(needs, id)] as const));
  return new Map<string, readonly Stored<Membership>[]>(found);
}
