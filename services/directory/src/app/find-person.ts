import type { Account } from '../domain/account.ts';
import { claimId } from '../domain/address-claim.ts';
import { lockedForMs } from '../domain/attempts.ts';
import { ownsAddress, type Person } from '../domain/person.ts';
import { mayAdminister } from '../domain/roles.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Records, Stored } from '../ports/records.ts';
import type { Actor } from './call.ts';

/** A person by id or by normalised address. */
export type PersonRef = { readonly id: string } | { readonly address: string };

/** A person as administrators see him. */
export interface AccountView {
  readonly person: Stored<Person>;
  readonly account: Stored<Account>;
  readonly lockedUntilMs: number;
}

export type FindNeeds = Pick<Records, 'people' | 'addresses'>;

/** Also by a former address. An address whose claim was never made use of is nobody's. */
export async function findPerson(needs: FindNeeds, ref: PersonRef): Promise<Stored<Person> | undefined> {
  if ('id' in ref) return needs.people.get(ref.id);
  const claim = await needs.addresses.get(claimId(ref.address));
  const person = claim && (await needs.people.get(claim.personId));
  return person && ownsAddress(person, ref.address) ? person : undefined;
}

export async function needPerson(needs: FindNeeds, ref: PersonRef): Promise<Stored<Person>> {
  const person = await findPerson(needs, ref);
  if (!person) throw err('directory.person_not_found', { field: 'person' });
  return person;
}

/** The account an administrator wants to change, if he may and it is not deleted. */
export async function needAdministered(
  needs: FindNeeds & Pick<Records, 'accounts'>,
  ref: PersonRef,
  actor: Actor,
): Promise<{ readonly person: Stored<Person>; readonly account: Stored<Account> }> {
  const person = await needPerson(needs, ref);
  const account = await needAccount(needs, person._id);
  checkMayAdminister(actor, account);
  checkNotDeleted(account);
  return { person, account };
}

/** Roles may be given between reading and writing: checked again at each write. */
export function checkMayAdminister(actor: Actor, account: Pick<Account, 'roles'>, field = 'person'): void {
  if (!mayAdminister(actor.roles, account.roles)) throw err('directory.target_has_roles', { field });
}

/** Whoever is deleted is restored first. */
export function checkNotDeleted(account: Pick<Account, 'state'>, field = 'person'): void {
  if (account.state === 'deleted') throw err('directory.person_deleted', { field });
}

export async function needAccount(needs: Pick<Records, 'accounts'>, personId: string): Promise<Stored<Account>> {
  const account = await needs.accounts.get(personId);
  if (!account) throw err('directory.person_not_found', { field: 'person' });
  return account;
}

export const attemptsIdOf = (personId: string) => `p:${personId}`;

export async function viewOf(
  needs: Pick<Records, 'attempts'> & { readonly clock: { now(): number } },
  person: Stored<Person>,
  account: Stored<Account>,
): Promise<AccountView> {
  const attempts = await needs.attempts.get(attemptsIdOf(person._id));
  return { person, account, lockedUntilMs: lockedUntil(attempts, needs.clock.now()) };
}

export function lockedUntil(attempts: Parameters<typeof lockedForMs>[0] | undefined, now: number): number {
  return attempts && lockedForMs(attempts, now) > 0 ? attempts.lockedUntilMs : 0;
}
