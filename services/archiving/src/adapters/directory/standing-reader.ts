import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { type Channel, createClient } from '@parley/rpc';
import type { StandingReader } from '../../ports/standings.ts';

export function createStandingReader(directory: Channel, timeoutMs: number): StandingReader {
  const client = createClient(DirectoryInternalService, directory);
  return {
    async read(personId) {
      const { principals } = await client.getPrincipals({ ids: [personId] }, { timeoutMs });
      const found = principals.find(principal => principal.id === personId);
      return found && { enabled: found.enabled, roles: found.roles };
    },
  };
}
