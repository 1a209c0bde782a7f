import { type Account, type UsableState, withRoles, withState } from '../domain/account.ts';
import type { RoleName } from '../domain/roles.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type AdministratorsNeeds, changeAccount } from './administrators.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import {
  type AccountView,
  attemptsIdOf,
  checkMayAdminister,
  checkNotDeleted,
  needAdministered,
  needPerson,
  type PersonRef,
  viewOf,
} from './find-person.ts';
import type { Versions } from './versions.ts';

export interface ChangeAccountNeeds extends AdministratorsNeeds, Pick<Records, 'addresses' | 'attempts'> {
  readonly versions: Versions;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export async function setAccountState(
  needs: ChangeAccountNeeds,
  command: { readonly person: PersonRef; readonly state: UsableState },
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const person = await needPerson(needs, command.person);
  const personId = person._id;
  const { account, changed } = await change(needs, personId, (doc, version) => {
    checkMayAdminister(actor, doc);
    checkNotDeleted(doc);
    return withState(doc, command.state, version);
  });
  const { version, state } = account;
  const disabled = state === 'disabled';
  // Also when nothing changed: the announcement of the first call may have been lost.
  const { traceparent } = call;
  needs.announcements.personChanged({ personId, version, disabled, allSignInsEnded: disabled, traceparent });
  if (changed) needs.events.accountStateChanged(personId, state, causeOf(call, actor));
  return viewOf(needs, person, account);
}

/** `actor` undefined is the installation itself. */
export async function setRoles(
  needs: ChangeAccountNeeds,
  command: { readonly person: PersonRef; readonly roles: readonly RoleName[] },
  actor: Actor | undefined,
  call: Call,
): Promise<AccountView> {
  const person = await needPerson(needs, command.person);
  const personId = person._id;
  const { account, changed } = await change(needs, personId, (doc, version) => {
    checkNotDeleted(doc);
    return withRoles(doc, command.roles, version);
  });
  needs.announcements.personChanged({ personId, version: account.version, traceparent: call.traceparent });
  if (changed) needs.events.rolesChanged(personId, account.roles, causeOf(call, actor));
  return viewOf(needs, person, account);
}

export async function unlockAccount(
  needs: ChangeAccountNeeds,
  ref: PersonRef,
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const { person, account } = await needAdministered(needs, ref, actor);
  if (await needs.attempts.delete(attemptsIdOf(person._id))) {
    needs.events.accountUnlocked(person._id, causeOf(call, actor));
  }
  return viewOf(needs, person, account);
}

/** One change of an account, with the version that services will know it by. */
export async function change(
  needs: AdministratorsNeeds & { readonly versions: Versions },
  personId: string,
  decide: (doc: Stored<Account>, version: number) => Stored<Account> | undefined,
): Promise<{ readonly account: Stored<Account>; readonly changed: boolean }> {
  const version = await needs.versions.forPerson(personId);
  let changed = false;
  const account = await changeAccount(needs, personId, doc => {
    const next = decide(doc, Math.max(version, doc.version + 1));
    changed = next !== undefined;
    return next;
  });
  return { account, changed };
}
