import { nextVersion } from '../domain/version.ts';
import type { Records } from '../ports/records.ts';
import { loadPrincipals, type PrincipalNeeds } from './principals.ts';

export interface Versions {
  /** For a change of this person: greater than all that services may know of him. */
  forPerson(personId: string): Promise<number>;
  /** For a change that concerns many; `known` is the version of what is changed. */
  forEverybody(known: number): Promise<number>;
}

export function createVersions(needs: PrincipalNeeds & Pick<Records, 'storeNow'>): Versions {
  return {
    async forPerson(personId) {
      const [now, [principal]] = await Promise.all([needs.storeNow(), loadPrincipals(needs, [personId])]);
      return nextVersion(now, principal?.version ?? 0, false);
    },
    async forEverybody(known) {
      return nextVersion(await needs.storeNow(), known, true);
    },
  };
}
