import type { Ids } from '@parley/runtime';
import { changeGroup, type Group, groupKey, membershipId, newGroup } from '../domain/group.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { checkNotDeleted, type FindNeeds, findPerson, needAccount, type PersonRef } from './find-person.ts';
import { isId } from './input.ts';
import { addMembers, type MembershipNeeds, recount } from './memberships.ts';
import { maxTries, revisionOf } from './update.ts';

export interface GroupNeeds extends FindNeeds, MembershipNeeds {
  readonly ids: Ids;
  readonly events: DirectoryEvents;
}

export interface PutGroupCommand {
  readonly name: string;
  /** Undefined keeps. */
  readonly description: string | undefined;
  readonly newName: string | undefined;
  readonly add: readonly PersonRef[];
  readonly remove: readonly PersonRef[];
}

export async function putGroup(
  needs: GroupNeeds,
  command: PutGroupCommand,
  actor: Actor,
  call: Call,
): Promise<Stored<Group>> {
  // Everybody is looked for before anything is stored.
  const add = await Promise.all(command.add.map((ref, i) => memberId(needs, ref, `add_members[${i}]`, true)));
  const remove = await Promise.all(command.remove.map((ref, i) => memberId(needs, ref, `remove_members[${i}]`, false)));
  const cause = causeOf(call, actor);
  const group = await putOne(needs, command, cause);
  const added = await addMembers(needs, group, add, 'add_members');
  const removed = await needs.memberships.deleteMany(remove.map(personId => membershipId(group._id, personId)));
  if (added.length > 0 || removed > 0) needs.events.membersChanged(group._id, added.length, removed, cause);
  return (await recount(needs, group._id)) ?? group;
}

export async function deleteGroup(needs: GroupNeeds, ref: string, actor: Actor, call: Call): Promise<void> {
  const { _id } = await needGroup(needs, ref);
  await removeMembers(needs, _id);
  if (await needs.groups.delete(_id)) needs.events.groupChanged(_id, 'group_deleted', causeOf(call, actor));
  // Whoever was put in meanwhile is in no group now.
  await removeMembers(needs, _id);
}

export async function findGroupByName(
  needs: Pick<Records, 'groups'>,
  name: string,
): Promise<Stored<Group> | undefined> {
  return (await needs.groups.scan('byKey', { equals: [groupKey(name)], limit: 1 })).docs[0];
}

/** By id or by name. */
export async function needGroup(needs: Pick<Records, 'groups'>, ref: string): Promise<Stored<Group>> {
  const group = (isId(ref) ? await needs.groups.get(ref) : undefined) ?? (await findGroupByName(needs, ref));
  if (!group) throw err('directory.group_not_found', { field: 'group' });
  return group;
}

/** The group of this name, made when there is none; of two who make it at once one finds the other's. */
export async function ensureGroup(
  needs: GroupNeeds,
  name: string,
  description: string,
  cause: ReturnType<typeof causeOf>,
): Promise<Stored<Group>> {
  for (let i = 0; i < maxTries; i++) {
    const known = await findGroupByName(needs, name);
    if (known) return known;
    const group = { _id: needs.ids.opaque(), ...newGroup(name, description) };
    if ((await needs.groups.insert(group)).inserted) {
      needs.events.groupChanged(group._id, 'group_made', cause);
      return { ...group, _rev: 1 };
    }
  }
  throw err('directory.busy');
}

async function putOne(
  needs: GroupNeeds,
  command: PutGroupCommand,
  cause: ReturnType<typeof causeOf>,
): Promise<Stored<Group>> {
  const { name, newName, description } = command;
  for (let i = 0; i < maxTries; i++) {
    // Under the new name when this very call was made before.
    const found = (await findGroupByName(needs, name)) ?? (newName && (await findGroupByName(needs, newName)));
    if (!found && newName) throw err('directory.group_not_found', { field: 'name' });
    const group = found || (await ensureGroup(needs, name, description ?? '', cause));
    const next = changeGroup(group, { name: newName ?? (found ? undefined : name), description });
    if (!next) return group;
    const result = await needs.groups.replace(next, revisionOf(group));
    if (result.replaced) {
      needs.events.groupChanged(group._id, 'group_changed', cause);
      return { ...next, _rev: result.revision };
    }
    if (result.reason === 'duplicate') throw err('directory.group_exists', { field: 'new_name' });
  }
  throw err('directory.busy');
}

async function memberId(needs: GroupNeeds, ref: PersonRef, field: string, joining: boolean): Promise<string> {
  const person = await findPerson(needs, ref);
  if (!person) throw err('directory.person_not_found', { field });
  if (joining) checkNotDeleted(await needAccount(needs, person._id), field);
  return person._id;
}

async function removeMembers(needs: GroupNeeds, groupId: string): Promise<void> {
  for (;;) {
    const { docs } = await needs.memberships.scan('byGroup', { equals: [groupId], limit: 1000 });
    if (docs.length === 0) return;
    await needs.memberships.deleteMany(docs.map(doc => doc._id));
  }
}
