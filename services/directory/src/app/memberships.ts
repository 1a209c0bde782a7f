import { type Group, type Membership, maxGroupMembers, newMembership } from '../domain/group.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Records, Stored } from '../ports/records.ts';
import { getAll, maxTries, revisionOf } from './update.ts';

export type MembershipNeeds = Pick<Records, 'groups' | 'memberships' | 'accounts'>;

const page = 1000;

/** Every membership of a person, also in groups that are gone and while he is deleted. */
export async function membershipsOf(
  needs: Pick<Records, 'memberships'>,
  personId: string,
): Promise<readonly Stored<Membership>[]> {
  const found: Stored<Membership>[] = [];
  let after: string | undefined;
  do {
    const query = { equals: [personId], limit: page };
    const { docs, next } = await needs.memberships.scan('byPerson', after === undefined ? query : { ...query, after });
    found.push(...docs);
    after = next;
  } while (after !== undefined);
  return found;
}

/** Counts anew, after members were put in or taken out. Whoever counts last has read the group last. */
export async function recount(needs: MembershipNeeds, groupId: string): Promise<Stored<Group> | undefined> {
  for (let i = 0; i < maxTries; i++) {
    const group = await needs.groups.get(groupId);
    if (!group) return undefined;
    const memberCount = await needs.memberships.count('byGroup', { equals: [groupId, true] }, maxGroupMembers * 2);
    if (memberCount === group.memberCount) return group;
    const next = { ...group, memberCount };
    const result = await needs.groups.replace(next, revisionOf(group));
    if (result.replaced) return { ...next, _rev: result.revision };
  }
  throw err('directory.busy');
}

/** Puts people into a group and returns who was not in it; beyond the limit nobody is put in. */
export async function addMembers(
  needs: MembershipNeeds,
  group: Pick<Stored<Group>, '_id' | 'memberCount'>,
  personIds: readonly string[],
  field: string,
): Promise<readonly string[]> {
  const wanted = [...new Set(personIds)].map(personId => newMembership(group._id, personId));
  const known = await getAll(
    needs.memberships,
    wanted.map(doc => doc._id),
  );
  const missing = wanted.filter(doc => !known.has(doc._id));
  if (missing.length === 0) return [];
  if (group.memberCount + missing.length > maxGroupMembers) throw full(field);
  const results = await needs.memberships.insertMany(missing);
  const added = missing.filter((_, i) => results[i]?.inserted);
  const counted = await recount(needs, group._id);
  if (counted && counted.memberCount > maxGroupMembers) {
    // Others added at the same moment: whoever sees too many takes his own out again.
    await needs.memberships.deleteMany(added.map(doc => doc._id));
    await recount(needs, group._id);
    throw full(field);
  }
  return added.map(doc => doc.personId);
}

function full(field: string) {
  return err('directory.group_full', { field, params: { limit: maxGroupMembers } });
}
