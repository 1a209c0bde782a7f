import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { type Channel, createClient } from '@parley/rpc';
import type { PeopleReader } from '../../ports/people.ts';

export function createPeopleReader(directory: Channel, timeoutMs: number): PeopleReader {
  const client = createClient(DirectoryService, directory);
  return {
    async find({ ids, addresses }, context) {
      if (ids.length + addresses.length === 0) return [];
      const { people } = await client.getPeople({ ids: [...ids], addresses: [...addresses] }, { timeoutMs, context });
      return (people ?? []).map(({ id, primaryAddress, displayName }) => ({
        ...{ id, address: primaryAddress, displayName },
      }));
    },
  };
}
