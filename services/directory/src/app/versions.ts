import { nextVersion } from '../domain/version.ts';
import type { Records } from '../ports/records.ts';
import { loadPrincipals, type PrincipalNeeds } from './principals.ts';

export interface Versions {
  /** For a change of this person: greater than all that services may know of him. */
  forPerson(personId: string): Promise<number>;
  /** The same for many, in a few reads; for ids of nobody too. */
  forPeople(personIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** For a change that concerns many; `known` is the version of what is changed. */
  forEverybody(known: number): Promise<number>;
}

export function createVersions(needs: PrincipalNeeds & Pick<Records, 'storeNow'>): Versions {
  const forPeople = async (ids: readonly string[]) => {
    const [now, principals] = await Promise.all([needs.storeNow(), loadPrincipals(needs, ids)]);
    const known = new Map(principals.map(principal => [principal.id, principal.version]));
    return new Map(ids.map(id => [id, nextVersion(now, known.get(id) ?? 0, false)]));
  };
  return {
    forPeople,
    async forPerson(personId) {
      const [now, [principal]] = await Promise.all([needs.storeNow(), loadPrincipals(needs, [personId])]);
      return nextVersion(now, principal?.version ?? 0, false);
    },
    async forEverybody(known) {
      return nextVersion(await needs.storeNow(), known, true);
    },
  };
}
