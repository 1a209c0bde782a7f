import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Role } from '@parley/contracts';
import type { TokenPairSchema } from '@parley/contracts/directory/v1/auth';
import type { GroupSchema } from '@parley/contracts/directory/v1/group';
import type { PrincipalSchema } from '@parley/contracts/directory/v1/internal';
import { type AccountSchema, AccountState, type PersonSchema } from '@parley/contracts/directory/v1/person';
import { type EffectiveArchivingPolicySchema, PolicyScope } from '@parley/contracts/directory/v1/policy';
import type { AccountView } from '../app/find-person.ts';
import type { PrincipalView } from '../app/principals.ts';
import type { TokenPair } from '../app/start-sign-in.ts';
import type { Group } from '../domain/group.ts';
import type { Person } from '../domain/person.ts';
import type { EffectivePolicy } from '../domain/policy.ts';
import type { RoleName } from '../domain/roles.ts';
import type { Stored } from '../ports/records.ts';
import { roleName, roleValues } from '../ports/role-values.ts';
import { atMost, invalid } from './validate.ts';

export function roleMessages(roles: readonly RoleName[]): Role[] {
  return roles.map(role => roleValues[role]);
}

export function rolesFrom(values: readonly Role[], field: string): readonly RoleName[] {
  atMost(values, field, 64);
  return values.map((value, i) => {
    const name = roleName(value);
    if (!name) throw invalid(`${field}[${i}]`, 'a role');
    return name;
  });
}

export function personMessage(person: Stored<Person>): MessageInitShape<typeof PersonSchema> {
  const { displayName, primaryAddress, department, title, language, site } = person;
  const addresses = [...person.addresses];
  const { managerId = '', photoVersion = '' } = person;
  const words = { displayName, department, title, language, site };
  return { id: person._id, ...words, primaryAddress, addresses, managerId, photoVersion };
}

export function groupMessage(group: Stored<Group>): MessageInitShape<typeof GroupSchema> {
  const { name, description, memberCount } = group;
  return { id: group._id, name, description, memberCount, revision: BigInt(group._rev ?? 0) };
}

const stateValues = {
  enabled: AccountState.ENABLED,
  disabled: AccountState.DISABLED,
  deleted: AccountState.DELETED,
} as const;

export function accountMessage(view: AccountView): MessageInitShape<typeof AccountSchema> {
  const { person, account } = view;
  return {
    person: personMessage(person),
    roles: roleMessages(account.roles),
    state: stateValues[account.state],
    lockedUntilMs: BigInt(view.lockedUntilMs),
    createdMs: BigInt(person.createdMs),
    // Both documents only ever gain revisions, so their sum does too.
    revision: BigInt((person._rev ?? 0) + (account._rev ?? 0)),
    formerAddresses: person.former.map(f => ({ address: f.address, untilMs: BigInt(f.untilMs) })),
    externalId: person.externalId ?? '',
    deletedMs: BigInt(account.deleted?.atMs ?? 0),
    hasPassword: account.password !== null,
  };
}

export function tokensMessage(pair: TokenPair): MessageInitShape<typeof TokenPairSchema> {
  return {
    accessToken: pair.accessToken,
    accessExpiresMs: BigInt(pair.accessExpiresMs),
    refreshToken: pair.refreshToken,
    refreshExpiresMs: BigInt(pair.refreshExpiresMs),
    serverTimeMs: BigInt(pair.serverTimeMs),
  };
}

const scopes = { global: PolicyScope.GLOBAL, site: PolicyScope.SITE, person: PolicyScope.PERSON } as const;

export function policyMessage(effective: EffectivePolicy): MessageInitShape<typeof EffectiveArchivingPolicySchema> {
  const { policy, scope, version } = effective;
  return { policy: { ...policy }, scope: scopes[scope], version: BigInt(version) };
}

export function principalMessage(view: PrincipalView): MessageInitShape<typeof PrincipalSchema> {
  const { person, account } = view;
  return {
    id: view.id,
    enabled: account.state === 'enabled',
    site: person.site,
    internal: true,
    archiving: policyMessage(view.archiving),
    version: BigInt(view.version),
    displayName: person.displayName,
    primaryAddress: person.primaryAddress,
    roles: account.state === 'enabled' ? roleMessages(account.roles) : [],
  };
}
