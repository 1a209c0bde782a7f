import type { Person } from '../domain/person.ts';
import { longest, matches, queryTerms, type Term } from '../domain/search-words.ts';
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

const byName = new Intl.Collator('und', { sensitivity: 'base', numeric: true });

/** Every term must match by prefix. Looks up the rarest term and tests the others on what that finds. */
export async function searchPeople(needs: SearchNeeds, query: string, limit: number): Promise<SearchResult> {
  const terms = queryTerms(query);
  if (terms.length === 0) return { people: [], truncated: false };
  const { candidates, cut } = await lookUp(needs, await rarest(needs, terms));
  const found = [...candidates.values()]
    .filter(person => matches(person.words, terms))
    .sort((a, b) => byName.compare(a.displayName, b.displayName) || (a._id < b._id ? -1 : 1));
  const people: Stored<Person>[] = [];
  // Whoever is disabled is not offered; a chunk at a time, as most are enabled.
  for (let i = 0; i < found.length && people.length <= limit; i += limit + 1) {
    const chunk = found.slice(i, i + limit + 1);
    const accounts = await getAll(
      needs.accounts,
      chunk.map(person => person._id),
    );
    people.push(...chunk.filter(person => accounts.get(person._id)?.state === 'enabled'));
  }
  return { people: people.slice(0, limit), truncated: cut || people.length > limit };
}

const prefixRange = (prefix: string) => ({ gte: prefix, lt: `${prefix}\u{10ffff}` });

async function rarest(needs: SearchNeeds, terms: readonly Term[]): Promise<Term> {
  const [only] = terms;
  if (terms.length === 1) return only as Term;
  const cap = needs.searchScanLimit;
  const sizes = await Promise.all(
    terms.map(async term => {
      const counts = term.map(prefixes => needs.people.count('byWord', { range: prefixRange(longest(prefixes)) }, cap));
      return (await Promise.all(counts)).reduce((a, b) => a + b);
    }),
  );
  return terms[sizes.indexOf(Math.min(...sizes))] as Term;
}

async function lookUp(
  needs: SearchNeeds,
  term: Term,
): Promise<{ readonly candidates: ReadonlyMap<string, Stored<Person>>; readonly cut: boolean }> {
  const candidates = new Map<string, Stored<Person>>();
  let left = needs.searchScanLimit;
  for (const prefixes of term) {
    if (left === 0) return { candidates, cut: true };
    const page = await needs.people.scan('byWord', { range: prefixRange(longest(prefixes)), limit: left });
    for (const person of page.docs) candidates.set(person._id, person);
    if (page.next !== undefined) return { candidates, cut: true };
    left -= page.docs.length;
  }
  return { candidates, cut: false };
}
