import { ParleyError } from '@parley/rpc';
import { groupKey, membershipId } from '../../domain/group.ts';
import type { Cause } from '../../events.ts';
import { ensureGroup } from '../groups.ts';
import { addMembers, recount } from '../memberships.ts';
import type { ImportNeeds } from './import-people.ts';
import type { RowPlan } from './plan-row.ts';

/** Joins and leaves groups, each group once. Returns the refusals of those for whom there was no room any more. */
export async function writeGroups(
  needs: ImportNeeds,
  plans: readonly RowPlan[],
  cause: Cause,
): Promise<ReadonlyMap<string, ParleyError>> {
  const joining = new Map<string, { readonly name: string; readonly ids: string[] }>();
  const leaving = new Map<string, string[]>();
  for (const { personId, join, leaveIds } of plans) {
    for (const name of join) entry(joining, groupKey(name), () => ({ name, ids: [] })).ids.push(personId);
    for (const groupId of leaveIds) entry(leaving, groupId, () => []).push(personId);
  }
  const refusals = new Map<string, ParleyError>();
  const left = [...leaving].map(async ([groupId, ids]) => {
    const removed = await needs.memberships.deleteMany(ids.map(id => membershipId(groupId, id)));
    await recount(needs, groupId);
    if (removed > 0) needs.events.membersChanged(groupId, 0, removed, cause);
  });
  const joined = [...joining.values()].map(async ({ name, ids }) => {
    const group = await ensureGroup(needs, name, '', cause);
    try {
      const added = await addMembers(needs, group, ids, 'groups');
      if (added.length > 0) needs.events.membersChanged(group._id, added.length, 0, cause);
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      for (const id of ids) refusals.set(id, error);
    }
  });
  const results = await Promise.allSettled([...left, ...joined]);
  const failed = results.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
  return refusals;
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
