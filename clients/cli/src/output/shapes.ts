import type { ImEvent, Person } from '@parley/client';
import { Role } from '@parley/contracts';
import { type Account, AccountState } from '@parley/contracts/directory/v1/person';
import { isoOf } from './time.ts';

/** Roles by the names used on the command line. */
export const ROLE_NAMES: Readonly<Record<string, Role>> = {
  administrator: Role.ADMINISTRATOR,
  'user-administrator': Role.USER_ADMINISTRATOR,
  'help-desk': Role.HELP_DESK,
  viewer: Role.VIEWER,
  'compliance-officer': Role.COMPLIANCE_OFFICER,
  auditor: Role.AUDITOR,
};

/** Name of a role; its number when it is one of a later version. */
export const roleName = (role: Role): string =>
  Object.entries(ROLE_NAMES).find(([, value]) => value === role)?.[0] ?? `role-${role}`;

/** A person as JSON. */
export const personJson = (person: Person) => ({
  id: person.id,
  displayName: person.displayName,
  address: person.primaryAddress,
  ...(person.addresses.length > 1 && { addresses: person.addresses }),
  ...(person.department && { department: person.department }),
  ...(person.title && { title: person.title }),
  ...(person.language && { language: person.language }),
  ...(person.site && { site: person.site }),
  ...(person.managerId && { managerId: person.managerId }),
  ...(person.photoVersion && { photoVersion: person.photoVersion }),
});

/** `Tom Okafor <tom.okafor@clinic.example>` */
export const personText = (person: Person): string => `${person.displayName} <${person.primaryAddress}>`;

/** State of an account: `enabled`, `disabled`, `deleted`, `locked`. */
export function accountState(account: Account, now: number): string {
  if (account.state === AccountState.DELETED) return 'deleted';
  if (account.state === AccountState.DISABLED) return 'disabled';
  return Number(account.lockedUntilMs) > now ? 'locked' : 'enabled';
}

/** An account as JSON. */
export function accountJson(account: Account, now: number) {
  const lockedUntil = isoOf(account.lockedUntilMs);
  const deletedAt = isoOf(account.deletedMs);
  return {
    ...(account.person && personJson(account.person)),
    state: accountState(account, now),
    roles: account.roles.map(roleName),
    ...(lockedUntil && { lockedUntil }),
    ...(deletedAt && { deletedAt }),
    ...(account.externalId && { externalId: account.externalId }),
    hasPassword: account.hasPassword,
    createdAt: isoOf(account.createdMs),
    ...(account.formerAddresses.length > 0 && {
      formerAddresses: account.formerAddresses.map(f => ({ address: f.address, until: isoOf(f.untilMs) })),
    }),
  };
}

/** A message as JSON. */
export const messageJson = (event: ImEvent) => ({
  type: 'message',
  id: event.id,
  conversationId: event.conversationId,
  senderId: event.senderId,
  recipientIds: event.recipientIds,
  at: isoOf(event.acceptedMs),
  key: event.key,
  text: event.content?.text ?? '',
  importance: event.content?.importance === 2 ? 'high' : 'normal',
});
