import { claimId } from '../domain/address-claim.ts';
import { ownsAddress, type Person } from '../domain/person.ts';
import type { RoleName } from '../domain/roles.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Records, Stored } from '../ports/records.ts';
import type { Actor } from './call.ts';
import {
  type AccountView,
  attemptsIdOf,
  lockedUntil,
  needAccount,
  needPerson,
  type PersonRef,
  viewOf,
} from './find-person.ts';
import { getAll } from './update.ts';

export type ReadNeeds = Pick<Records, 'people' | 'accounts' | 'addresses' | 'attempts'> & {
  readonly clock: { now(): number };
};

/** Roles as they are now, not as the token says. */
export async function getMe(
  needs: ReadNeeds,
  actor: Actor,
): Promise<{ readonly person: Stored<Person>; readonly roles: readonly RoleName[] }> {
  const [person, account] = await Promise.all([needs.people.get(actor.personId), needs.accounts.get(actor.personId)]);
  if (!person || !account) throw err('directory.person_not_found');
  return { person, roles: account.roles };
}

/** Two reads at most, whatever is asked for. Former addresses still lead to their person. */
export async function getPeople(
  needs: ReadNeeds,
  wanted: { readonly ids: readonly string[]; readonly addresses: readonly string[] },
): Promise<readonly Stored<Person>[]> {
  const claims = await getAll(needs.addresses, wanted.addresses.map(claimId));
  const ids = [...wanted.ids, ...[...claims.values()].map(claim => claim.personId)];
  const found = await getAll(needs.people, ids);
  const named = new Set(wanted.ids);
  for (const claim of claims.values()) {
    const person = found.get(claim.personId);
    if (person && ownsAddress(person, claim.address)) named.add(person._id);
  }
  return [...found.values()].filter(person => named.has(person._id));
}

export async function getAccount(needs: ReadNeeds, ref: PersonRef): Promise<AccountView> {
  const person = await needPerson(needs, ref);
  return viewOf(needs, person, await needAccount(needs, person._id));
}

export async function listAccounts(
  needs: ReadNeeds,
  page: { readonly limit: number; readonly afterId: string | undefined },
): Promise<{ readonly accounts: readonly AccountView[]; readonly lastId: string | undefined }> {
  const query = { equals: ['person'], limit: page.limit };
  const range = page.afterId === undefined ? {} : { range: { gt: page.afterId } };
  const { docs, next } = await needs.people.scan('byKind', { ...query, ...range });
  const ids = docs.map(doc => doc._id);
  const [accounts, attempts] = await Promise.all([
    getAll(needs.accounts, ids),
    getAll(
      needs.attempts,
      ids.map(id => attemptsIdOf(id)),
    ),
  ]);
  const now = needs.clock.now();
  const views = docs.flatMap(person => {
    const account = accounts.get(person._id);
    return account
      ? [{ person, account, lockedUntilMs: lockedUntil(attempts.get(attemptsIdOf(person._id)), now) }]
      : [];
  });
  return { accounts: views, lastId: next === undefined ? undefined : docs.at(-1)?._id };
}
