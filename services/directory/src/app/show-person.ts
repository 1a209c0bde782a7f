import type { Person } from '../domain/person.ts';
import { searchFields } from '../domain/search-words.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type MembershipNeeds, membershipsOf, recount } from './memberships.ts';
import { maxTries, revisionOf } from './update.ts';

export type ShowNeeds = MembershipNeeds & Pick<Records, 'people'>;

/**
 * Hides somebody in groups and in the index of the search, or shows him, as his account says now. Whoever is overtaken
 * looks again; a repetition does, and counts, what a crash left undone.
 */
export async function showPerson(needs: ShowNeeds, person: Stored<Person>): Promise<Stored<Person>> {
  const personId = person._id;
  for (let i = 0; i < maxTries; i++) {
    const isShown = await standsOf(needs, personId);
    const indexed = await showInSearch(needs, personId, isShown);
    const all = await membershipsOf(needs, personId);
    const wrong = all.filter(doc => doc.shown !== isShown);
    const results = await Promise.all(
      wrong.map(doc => needs.memberships.replace({ ...doc, shown: isShown }, revisionOf(doc))),
    );
    for (const { groupId } of all) await recount(needs, groupId);
    const done = results.every(result => result.replaced || result.reason === 'missing');
    if (indexed && done && (await standsOf(needs, personId)) === isShown) return indexed;
  }
  throw err('directory.busy');
}

async function standsOf(needs: ShowNeeds, personId: string): Promise<boolean> {
  return (await needs.accounts.get(personId))?.state !== 'deleted';
}

/** Undefined when somebody got in between. */
async function showInSearch(needs: ShowNeeds, personId: string, isShown: boolean): Promise<Stored<Person> | undefined> {
  const person = await needs.people.get(personId);
  if (!person) throw err('directory.person_not_found', { field: 'person' });
  const prefixes = isShown ? searchFields(person.displayName, person.addresses).prefixes : [];
  if (person.prefixes.length > 0 === prefixes.length > 0) return person;
  const next = { ...person, prefixes };
  const result = await needs.people.replace(next, revisionOf(person));
  return result.replaced ? { ...next, _rev: result.revision } : undefined;
}
