import type { CollectionSpec, Doc } from '@parley/store';
import type { Account } from './domain/account.ts';
import type { AddressClaim } from './domain/address-claim.ts';
import type { Administrators } from './domain/administrators.ts';
import type { Attempts } from './domain/attempts.ts';
import type { ExternalIdClaim } from './domain/external-id.ts';
import type { Group, Membership } from './domain/group.ts';
import type { Person } from './domain/person.ts';
import type { Photo } from './domain/photo.ts';
import type { StoredPolicy } from './domain/policy.ts';
import type { SignIn } from './domain/sign-in.ts';

/** `_id`: person id. */
export interface PersonDoc extends Doc, Person {}

/** `_id`: person id. */
export interface AccountDoc extends Doc, Account {}

/** `_id`: see `claimId`. The claim is the fact: one insert decides whose the address is. */
export interface AddressDoc extends Doc, AddressClaim {}

/** `_id`: sign-in id. */
export interface SignInDoc extends Doc, SignIn {}

/** `_id`: `p:<person id>`, or `a:<hash of an address that is nobody's>`. */
export interface AttemptsDoc extends Doc, Attempts {}

/** `_id`: `administrators`. */
export interface GuardDoc extends Doc, Administrators {}

/** `_id`: person id. */
export interface PhotoDoc extends Doc, Photo {}

/** `_id`: see `externalIdKey`. One insert decides who is known by it. */
export interface ExternalIdDoc extends Doc, ExternalIdClaim {}

/** `_id`: group id. */
export interface GroupDoc extends Doc, Group {}

/** `_id`: `<group id>.<person id>`. */
export interface MembershipDoc extends Doc, Membership {}

/** `_id`: `global`, `site:<site>` or `person:<person id>`. */
export interface PolicyDoc extends Doc, StoredPolicy {}

export const people: CollectionSpec<PersonDoc> = {
  name: 'directory_people',
  indexes: {
    byKind: { kind: 'ordered', fields: ['kind', '_id'] },
    byPrefix: { kind: 'ordered', fields: ['prefixes', 'sortName'], array: 'prefixes' },
  },
};

export const accounts: CollectionSpec<AccountDoc> = {
  name: 'directory_accounts',
  indexes: {
    byRole: { kind: 'ordered', fields: ['roles'], array: 'roles' },
    byState: { kind: 'ordered', fields: ['state', '_id'] },
  },
};

export const addresses: CollectionSpec<AddressDoc> = { name: 'directory_addresses', indexes: {} };

export const signIns: CollectionSpec<SignInDoc> = {
  name: 'directory_sign_ins',
  indexes: {
    byPerson: { kind: 'ordered', fields: ['personId', 'createdMs'] },
    expired: { kind: 'expiring', field: 'expiresMs' },
  },
};

export const attempts: CollectionSpec<AttemptsDoc> = {
  name: 'directory_attempts',
  indexes: { expired: { kind: 'expiring', field: 'expiresMs' } },
};

export const guards: CollectionSpec<GuardDoc> = { name: 'directory_guards', indexes: {} };

export const photos: CollectionSpec<PhotoDoc> = { name: 'directory_photos', indexes: {} };

export const externalIds: CollectionSpec<ExternalIdDoc> = { name: 'directory_external_ids', indexes: {} };

export const groups: CollectionSpec<GroupDoc> = {
  name: 'directory_groups',
  indexes: {
    byKey: { kind: 'unique', fields: ['nameKey'] },
    byName: { kind: 'ordered', fields: ['sortName'] },
    byPrefix: { kind: 'ordered', fields: ['prefixes', 'sortName'], array: 'prefixes' },
  },
};

export const memberships: CollectionSpec<MembershipDoc> = {
  name: 'directory_memberships',
  indexes: {
    byGroup: { kind: 'ordered', fields: ['groupId', 'shown', 'personId'] },
    byPerson: { kind: 'ordered', fields: ['personId', 'groupId'] },
  },
};

export const policies: CollectionSpec<PolicyDoc> = {
  name: 'directory_policies',
  indexes: { byId: { kind: 'ordered', fields: ['_id'] } },
};

export const directoryCollections: readonly CollectionSpec<Doc>[] = [
  people,
  accounts,
  addresses,
  signIns,
  attempts,
  guards,
  photos,
  externalIds,
  groups,
  memberships,
  policies,
];
