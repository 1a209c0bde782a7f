import type { Account, AccountState } from '../domain/account.ts';
import { claimId } from '../domain/address-claim.ts';
import { ownsAddress, type Person } from '../domain/person.ts';
import type { Photo } from '../domain/photo.ts';
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

/**
 * Three reads at most, whatever is asked for. Former addresses still lead to their person. Whoever is deleted is found
 * by his id only, for those who have messages of his, and then nothing but his name is told.
 */
export async function getPeople(
  needs: ReadNeeds,
  wanted: { readonly ids: readonly string[]; readonly addresses: readonly string[] },
): Promise<readonly Stored<Person>[]> {
  const claims = await getAll(needs.addresses, wanted.addresses.map(claimId));
  const ids = [...wanted.ids, ...[...claims.values()].map(claim => claim.personId)];
  const found = await getAll(needs.people, ids);
  const accounts = await getAll(needs.accounts, found.keys());
  const isDeleted = (id: string) => accounts.get(id)?.state === 'deleted';
  const named = new Set(wanted.ids);
  for (const claim of claims.values()) {
    const person = found.get(claim.personId);
    if (person && ownsAddress(person, claim.address) && !isDeleted(person._id)) named.add(person._id);
  }
  return [...found.values()].flatMap(person => {
    if (!named.has(person._id)) return [];
    return isDeleted(person._id) ? [onlyName(person)] : [person];
  });
}

function onlyName(person: Stored<Person>): Stored<Person> {
  const { _id, v, kind, displayName, createdMs, requestHash, version, words, prefixes, sortName } = person;
  const nothing = { primaryAddress: '', addresses: [], former: [], department: '', title: '', language: '', site: '' };
  return { _id, v, kind, displayName, createdMs, requestHash, version, words, prefixes, sortName, ...nothing };
}

export async function getPhoto(
  needs: Pick<Records, 'people' | 'accounts' | 'photos'>,
  personId: string,
): Promise<Stored<Photo>> {
  const [person, account, photo] = await Promise.all([
    needs.people.get(personId),
    needs.accounts.get(personId),
    needs.photos.get(personId),
  ]);
  if (!person || !account) throw err('directory.person_not_found', { field: 'person_id' });
  if (!person.photoVersion || account.state === 'deleted' || !photo) {
    throw err('directory.no_photo', { field: 'person_id' });
  }
  return photo;
}

export async function getAccount(needs: ReadNeeds, ref: PersonRef): Promise<AccountView> {
  const person = await needPerson(needs, ref);
  return viewOf(needs, person, await needAccount(needs, person._id));
}

/** In order of id; without `state` all but the deleted. */
export async function listAccounts(
  needs: ReadNeeds,
  page: {
    readonly limit: number;
    readonly afterId: string | undefined;
    readonly state: AccountState | undefined;
  },
): Promise<{ readonly accounts: readonly AccountView[]; readonly lastId: string | undefined }> {
  const states: readonly AccountState[] = page.state ? [page.state] : ['enabled', 'disabled'];
  const views: AccountView[] = [];
  let { afterId } = page;
  for (;;) {
    const wanted = page.limit - views.length;
    const { accounts, more } = await nextAccounts(needs, states, afterId, wanted);
    views.push(...(await viewsOf(needs, accounts)));
    afterId = accounts.at(-1)?._id;
    if (!more || views.length === page.limit) return { accounts: views, lastId: more ? afterId : undefined };
  }
}

async function nextAccounts(
  needs: ReadNeeds,
  states: readonly AccountState[],
  afterId: string | undefined,
  limit: number,
): Promise<{ readonly accounts: readonly Stored<Account>[]; readonly more: boolean }> {
  const range = afterId === undefined ? {} : { range: { gt: afterId } };
  const pages = await Promise.all(
    states.map(state => needs.accounts.scan('byState', { equals: [state], ...range, limit })),
  );
  const all = pages.flatMap(page => page.docs).sort((a, b) => (a._id < b._id ? -1 : 1));
  return { accounts: all.slice(0, limit), more: all.length > limit || pages.some(page => page.next !== undefined) };
}

/** An account whose person was never finished is left out. */
async function viewsOf(needs: ReadNeeds, accounts: readonly Stored<Account>[]): Promise<readonly AccountView[]> {
  const ids = accounts.map(account => account._id);
  const [people, attempts] = await Promise.all([
    getAll(needs.people, ids),
    getAll(
      needs.attempts,
      ids.map(id => attemptsIdOf(id)),
    ),
  ]);
  const now = needs.clock.now();
  return accounts.flatMap(account => {
    const person = people.get(account._id);
    return person ? [{ person, account, lockedUntilMs: lockedUntil(attempts.get(attemptsIdOf(person._id)), now) }] : [];
  });
}
