import type { Group } from '../domain/group.ts';
import type { Person } from '../domain/person.ts';
import { indexedPrefix, matches, queryTerms } from '../domain/search-words.ts';
import type { Records, Stored } from '../ports/records.ts';
import { needGroup } from './groups.ts';
import { membershipsOf } from './memberships.ts';
import { getAll } from './update.ts';

export type ReadGroupsNeeds = Pick<Records, 'groups' | 'memberships' | 'people' | 'accounts'>;

export interface GroupsQuery {
  readonly query: string;
  readonly limit: number;
  readonly memberId: string | undefined;
  readonly after: GroupPlace | undefined;
}

/** Where a page ended. */
export interface GroupPlace {
  readonly sortName: string;
  readonly id: string;
}

export interface GroupsPage {
  readonly groups: readonly Stored<Group>[];
  readonly next: GroupPlace | undefined;
}

export async function listGroups(needs: ReadGroupsNeeds, query: GroupsQuery): Promise<GroupsPage> {
  const terms = queryTerms(query.query);
  if (terms.length === 0 && query.query !== '') return { groups: [], next: undefined };
  const fits = (group: Stored<Group>) => matches(group.words, terms);
  return query.memberId === undefined
    ? pageOfAll(needs, query, terms[0], fits)
    : pageOfMember(needs, query, query.memberId, fits);
}

async function pageOfMember(
  needs: ReadGroupsNeeds,
  { limit, after }: GroupsQuery,
  personId: string,
  fits: (group: Stored<Group>) => boolean,
): Promise<GroupsPage> {
  const mine = (await membershipsOf(needs, personId)).filter(doc => doc.shown).map(doc => doc.groupId);
  const groups = [...(await getAll(needs.groups, mine)).values()].filter(fits).sort(byName);
  const rest = after ? groups.filter(group => byName(group, { ...after, _id: after.id }) > 0) : groups;
  return pageOf(rest.slice(0, limit), rest.length > limit);
}

async function pageOfAll(
  needs: ReadGroupsNeeds,
  { limit, after }: GroupsQuery,
  term: readonly string[] | undefined,
  fits: (group: Stored<Group>) => boolean,
): Promise<GroupsPage> {
  const alternatives = term ? [...new Set(term.map(indexedPrefix))] : [undefined];
  const found = new Map<string, Stored<Group>>();
  for (const prefix of alternatives) {
    // One more than wanted tells whether there are more.
    for (const group of await collect(needs, prefix, limit + 1, after, fits)) found.set(group._id, group);
  }
  const groups = [...found.values()].sort(byName);
  return pageOf(groups.slice(0, limit), groups.length > limit);
}

async function collect(
  needs: ReadGroupsNeeds,
  prefix: string | undefined,
  wanted: number,
  start: GroupPlace | undefined,
  fits: (group: Stored<Group>) => boolean,
): Promise<readonly Stored<Group>[]> {
  const groups: Stored<Group>[] = [];
  const from = start ? { range: { gte: start.sortName } } : {};
  let after: string | undefined;
  for (;;) {
    const query = { equals: prefix === undefined ? [] : [prefix], ...from, limit: Math.max(wanted, 100) };
    const index = prefix === undefined ? 'byName' : 'byPrefix';
    const { docs, next } = await needs.groups.scan(index, after === undefined ? query : { ...query, after });
    for (const doc of docs) {
      if (start && byName(doc, { ...start, _id: start.id }) <= 0) continue;
      if (fits(doc)) groups.push(doc);
      if (groups.length === wanted) return groups;
    }
    if (next === undefined) return groups;
    after = next;
  }
}

function pageOf(groups: readonly Stored<Group>[], more: boolean): GroupsPage {
  const last = groups.at(-1);
  return { groups, next: more && last ? { sortName: last.sortName, id: last._id } : undefined };
}

export interface MembersPage {
  readonly group: Stored<Group>;
  readonly members: readonly Stored<Person>[];
  readonly lastId: string | undefined;
}

export async function listGroupMembers(
  needs: ReadGroupsNeeds,
  query: { readonly group: string; readonly limit: number; readonly afterId: string | undefined },
): Promise<MembersPage> {
  const group = await needGroup(needs, query.group);
  const range = query.afterId === undefined ? {} : { range: { gt: query.afterId } };
  const page = await needs.memberships.scan('byGroup', { equals: [group._id, true], ...range, limit: query.limit });
  const ids = page.docs.map(doc => doc.personId);
  const [people, accounts] = await Promise.all([getAll(needs.people, ids), getAll(needs.accounts, ids)]);
  const members = ids.flatMap(id => {
    const person = people.get(id);
    const state = accounts.get(id)?.state;
    return person && state && state !== 'deleted' ? [person] : [];
  });
  return { group, members, lastId: page.next === undefined ? undefined : ids.at(-1) };
}

function byName(a: Pick<Stored<Group>, 'sortName' | '_id'>, b: Pick<Stored<Group>, 'sortName' | '_id'>): number {
  return Buffer.from(a.sortName).compare(Buffer.from(b.sortName)) || (a._id < b._id ? -1 : a._id > b._id ? 1 : 0);
}
