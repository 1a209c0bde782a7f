import { DirectoryInternalService, type Principal } from '@parley/contracts/directory/v1/internal';
import { PolicyScope } from '@parley/contracts/directory/v1/policy';
import { type Channel, createClient } from '@parley/rpc';
import type { Person } from '../../domain/person.ts';
import type { PersonSource } from '../../ports/people.ts';

export function createPersonSource(directory: Channel, timeoutMs: number): PersonSource {
  const client = createClient(DirectoryInternalService, directory);
  return {
    async fetch(ids) {
      const { principals } = await client.getPrincipals({ ids: [...ids] }, { timeoutMs });
      return principals.map(toPerson);
    },
  };
}

function toPerson(principal: Principal): Person {
  const effective = principal.archiving;
  return {
    id: principal.id,
    enabled: principal.enabled,
    internal: principal.internal,
    site: principal.site,
    displayName: principal.displayName,
    address: principal.primaryAddress,
    version: Number(principal.version),
    archiving: {
      internal: effective?.policy?.archiveInternal ?? false,
      external: effective?.policy?.archiveExternal ?? false,
      critical: effective?.policy?.critical ?? false,
      scope: scopes.get(effective?.scope ?? 0) ?? 'global',
    },
  };
}

const scopes = new Map<number, Person['archiving']['scope']>([
  [PolicyScope.GLOBAL, 'global'],
  [PolicyScope.SITE, 'site'],
  [PolicyScope.PERSON, 'person'],
]);
