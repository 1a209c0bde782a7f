import type { Person } from '../domain/person.ts';
import { indexedPrefix, matches, queryTerms, type Term } from '../domain/search-words.ts';
import type { Records, Stored } from '../ports/records.ts';
import { getAll } from './update.ts';

export interface SearchNeeds extends Pick<Records, 'people' | 'accounts'> {
  /** Entries looked at for one search. */
  readonly searchScanLimit: number;
}

export interface SearchResult {
  readonly people: readonly Stored<Person>[];
  readonly truncated: boolean;
}

/** Looks up the rarest term, in order of name, and tests the others on what that finds. */
export async function searchPeople(needs: SearchNeeds, query: string, limit: number): Promise<SearchResult> {
  const terms = queryTerms(query);
  if (terms.length === 0) return { people: [], truncated: false };
  const found = new Map<string, Stored<Person>>();
  const budget = { left: needs.searchScanLimit };
  let cut = false;
  for (const alternative of await rarest(needs, terms)) {
    // One more than wanted tells whether there are more.
    const part = await collect(needs, indexedPrefix(alternative), terms, limit + 1, budget);
    for (const person of part.people) found.set(person._id, person);
    cut ||= part.cut;
  }
  const people = [...found.values()].sort(byName);
  return { people: people.slice(0, limit), truncated: cut || people.length > limit };
}

async function collect(
  needs: SearchNeeds,
  prefix: string,
  terms: readonly Term[],
  wanted: number,
  budget: { left: number },
): Promise<{ readonly people: readonly Stored<Person>[]; readonly cut: boolean }> {
  const people: Stored<Person>[] = [];
  let after: string | undefined;
  while (people.length < wanted) {
    if (budget.left === 0) return { people, cut: true };
    const query = { equals: [prefix], limit: Math.min(budget.left, 2 * wanted) };
    const page = await needs.people.scan('byPrefix', after === undefined ? query : { ...query, after });
    budget.left -= page.docs.length;
    const matching = page.docs.filter(person => matches(person.words, terms));
    people.push(...(await enabled(needs, matching)));
    after = page.next;
    if (after === undefined) return { people, cut: false };
  }
  return { people, cut: true };
}

/** Whoever is disabled is not offered. */
async function enabled(needs: SearchNeeds, people: readonly Stored<Person>[]): Promise<readonly Stored<Person>[]> {
  const ids = people.map(person => person._id);
  const accounts = await getAll(needs.accounts, ids);
  return people.filter(person => accounts.get(person._id)?.state === 'enabled');
}

async function rarest(needs: SearchNeeds, terms: readonly Term[]): Promise<Term> {
  const [only] = terms;
  if (terms.length === 1) return only as Term;
  const cap = needs.searchScanLimit;
  const sizes = await Promise.all(
    terms.map(async term => {
      const counts = term.map(prefix => needs.people.count('byPrefix', { equals: [indexedPrefix(prefix)] }, cap));
      return (await Promise.all(counts)).reduce((a, b) => a + b);
    }),
  );
  return terms[sizes.indexOf(Math.min(...sizes))] as Term;
}

function byName(a: Stored<Person>, b: Stored<Person>): number {
  return Buffer.from(a.sortName).compare(Buffer.from(b.sortName)) || (a._id < b._id ? -1 : 1);
}
