import type { DeleteGroupRequest, PutGroupRequest } from '@parley/contracts/directory/v1/admin';
import type { CallContext } from '@parley/rpc';
import { deleteGroup, type GroupNeeds, putGroup } from '../app/groups.ts';
import { actorOf, callOf } from './calls.ts';
import { groupMessage } from './messages.ts';
import { atMost, groupRef, line, personRef } from './validate.ts';

const maxAtOnce = 1000;

export async function putGroupCall(needs: GroupNeeds, request: PutGroupRequest, context: CallContext) {
  const members = (values: readonly string[], field: string) => {
    atMost(values, field, maxAtOnce);
    return values.map((value, i) => personRef(value, `${field}[${i}]`));
  };
  const { description } = request;
  const command = {
    name: line(request.name, 'name', 256, true),
    description: description === undefined ? undefined : line(description, 'description', 1024, false),
    newName: line(request.newName, 'new_name', 256, false) || undefined,
    add: members(request.addMembers, 'add_members'),
    remove: members(request.removeMembers, 'remove_members'),
  };
  return { group: groupMessage(await putGroup(needs, command, actorOf(context), callOf(context))) };
}

export async function deleteGroupCall(needs: GroupNeeds, request: DeleteGroupRequest, context: CallContext) {
  await deleteGroup(needs, groupRef(request.group, 'group'), actorOf(context), callOf(context));
  return {};
}
