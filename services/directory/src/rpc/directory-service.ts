import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { getMe, getPeople, type ReadNeeds } from '../app/read-people.ts';
import { type SearchNeeds, searchPeople } from '../app/search-people.ts';
import { actorOf, mount } from './calls.ts';
import { personMessage, roleMessages } from './messages.ts';
import { address, atMost, id, limit, line } from './validate.ts';

export function directoryService(needs: ReadNeeds & SearchNeeds) {
  return mount(DirectoryService, {
    async getMe(_request, context) {
      const { person, roles } = await getMe(needs, actorOf(context));
      return { person: personMessage(person), roles: roleMessages(roles) };
    },
    async getPeople(request, context) {
      actorOf(context);
      atMost([...request.ids, ...request.addresses], request.ids.length > 0 ? 'ids' : 'addresses', 200);
      const people = await getPeople(needs, {
        ids: request.ids.map((value, i) => id(value, `ids[${i}]`)),
        addresses: request.addresses.map((value, i) => address(value, `addresses[${i}]`)),
      });
      return { people: people.map(personMessage) };
    },
    async searchPeople(request, context) {
      actorOf(context);
      const query = line(request.query, 'query', 128, true);
      const found = await searchPeople(needs, query, limit(request.limit, 'limit', 100, 20));
      return { people: found.people.map(personMessage), truncated: found.truncated };
    },
  });
}
