import { asParleyError, type CallContext } from '@parley/rpc';
import type { Party } from '../domain/audit-entry.ts';
import { archivingErrors } from '../errors.ts';
import type { IndexStore } from '../ports/index-store.ts';
import type { PeopleReader } from '../ports/people.ts';

const AT_ONCE = 10;

export interface ResolvePeopleDeps {
  readonly people: PeopleReader;
  readonly index: IndexStore;
}

/**
 * Ids of people who are asked for: of whoever has or had the address, and of whoever was archived under it. Who is in
 * neither the directory nor the archive is refused, because a slip of the pen must not look like silence.
 */
export type ResolvePeople = (given: readonly string[], context: CallContext) => Promise<readonly (readonly string[])[]>;

export function createResolvePeople({ people, index }: ResolvePeopleDeps): ResolvePeople {
  async function inDirectory(given: string, context: CallContext): Promise<Party | undefined> {
    const wanted = given.includes('@') ? { ids: [], addresses: [given] } : { ids: [given], addresses: [] };
    try {
      return (await people.find(wanted, context))[0];
    } catch (cause) {
      if (['invalid', 'not_found'].includes(asParleyError(cause).kind)) return undefined;
      throw archivingErrors('archive.directory_unavailable', { retryAfterMs: 1_000, cause });
    }
  }

  async function resolve(given: string, field: string, context: CallContext): Promise<readonly string[]> {
    const known = await inDirectory(given, context);
    const archived = given.includes('@') ? await index.idsOf(given) : (await index.isKnown(given)) ? [given] : [];
    const ids = [...new Set([...(known ? [known.id] : []), ...archived])];
    if (ids.length === 0) throw archivingErrors('archive.person_unknown', { field });
    return ids;
  }

  return async (given, context) => {
    const found: (readonly string[])[] = [];
    for (let i = 0; i < given.length; i += AT_ONCE) {
      const some = given.slice(i, i + AT_ONCE).map((one, n) => resolve(one, `query.people[${i + n}]`, context));
      found.push(...(await Promise.all(some)));
    }
    return found;
  };
}
