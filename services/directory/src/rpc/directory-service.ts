import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import type { ServiceImpl } from '@parley/rpc';
import { listGroupMembers, listGroups, type ReadGroupsNeeds } from '../app/read-groups.ts';
import { getMe, getPeople, getPhoto, type ReadNeeds } from '../app/read-people.ts';
import { type SearchNeeds, searchPeople } from '../app/search-people.ts';
import type { Standing } from '../app/standing.ts';
import { actorOf, mountForPeople } from './calls.ts';
import { groupMessage, personMessage, roleMessages } from './messages.ts';
import {
  address,
  atMost,
  cursor,
  formatCursor,
  formatGroupCursor,
  groupCursor,
  groupRef,
  id,
  limit,
  line,
} from './validate.ts';

export type DirectoryNeeds = ReadNeeds &
  SearchNeeds &
  ReadGroupsNeeds &
  Parameters<typeof getPhoto>[0] & { readonly standing: Standing };

export function directoryService(needs: DirectoryNeeds) {
  const impl: ServiceImpl<typeof DirectoryService> = {
    async getMe(_request, context) {
      const { person, roles } = await getMe(needs, actorOf(context));
      return { person: personMessage(person), roles: roleMessages(roles) };
    },
    async getPeople(request) {
      atMost([...request.ids, ...request.addresses], request.ids.length > 0 ? 'ids' : 'addresses', 200);
      const people = await getPeople(needs, {
        ids: request.ids.map((value, i) => id(value, `ids[${i}]`)),
        addresses: request.addresses.map((value, i) => address(value, `addresses[${i}]`)),
      });
      return { people: people.map(personMessage) };
    },
    async searchPeople(request) {
      const query = line(request.query, 'query', 128, true);
      const found = await searchPeople(needs, query, limit(request.limit, 'limit', 100, 20));
      return { people: found.people.map(personMessage), truncated: found.truncated };
    },
    async getPhoto(request) {
      const { mediaType, data, version } = await getPhoto(needs, id(request.personId, 'person_id'));
      return { mediaType, data, version };
    },
    async listGroups(request) {
      const page = await listGroups(needs, {
        query: line(request.query, 'query', 128, false),
        limit: limit(request.limit, 'limit', 200, 50),
        memberId: request.memberId === '' ? undefined : id(request.memberId, 'member_id'),
        after: groupCursor(request.cursor, 'cursor'),
      });
      return { groups: page.groups.map(groupMessage), nextCursor: formatGroupCursor(page.next) };
    },
    async listGroupMembers(request) {
      const page = await listGroupMembers(needs, {
        group: groupRef(request.group, 'group'),
        limit: limit(request.limit, 'limit', 200, 100),
        afterId: cursor(request.cursor, 'cursor'),
      });
      const members = page.members.map(personMessage);
      return { group: groupMessage(page.group), members, nextCursor: formatCursor(page.lastId) };
    },
  };
  return mountForPeople(DirectoryService, impl, needs.standing);
}
