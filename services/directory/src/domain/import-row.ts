import { maxAddresses, maxFormerAddresses, type Person } from './person.ts';
import { searchFields } from './search-words.ts';

/** A row of a file, checked. What is undefined is left as it is. */
export interface ImportRow {
  /** Empty: found by address. */
  readonly externalId: string;
  /** Normalised, as are the others. */
  readonly address: string;
  readonly otherAddresses: readonly string[];
  readonly displayName: string | undefined;
  readonly department: string | undefined;
  readonly title: string | undefined;
  readonly language: string | undefined;
  readonly site: string | undefined;
  /** Address, id or external id; empty: nobody. */
  readonly manager: string | undefined;
  /** Names, one of each. */
  readonly groups: readonly string[] | undefined;
  /** No bytes: no picture. */
  readonly photo: ImportPhoto | undefined;
  /** Empty: none. */
  readonly initialPassword: string;
  readonly enabled: boolean | undefined;
}

export interface ImportPhoto {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp' | '';
  readonly data: Uint8Array;
  /** Empty for no picture. */
  readonly version: string;
}

export type ApplyDecision<P> =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'store'; readonly next: P; readonly changed: readonly string[] }
  | { readonly kind: 'too_many'; readonly field: 'address' | 'other_addresses'; readonly limit: number };

/** What a row makes of somebody who is there. `changed` has the names of the row's fields in the contract. */
export function applyRow<P extends Person>(
  person: P,
  row: ImportRow,
  managerId: string | undefined,
  now: number,
  version: number,
): ApplyDecision<P> {
  const addressed = addressesAfter(person, row, now);
  if (addressed.addresses.length > maxAddresses) {
    return { kind: 'too_many', field: 'other_addresses', limit: maxAddresses };
  }
  if (addressed.former.length > maxFormerAddresses) {
    return { kind: 'too_many', field: 'address', limit: maxFormerAddresses };
  }
  const changed: string[] = [...addressed.changed];
  const set = <K extends keyof Person>(name: K, field: string, value: Person[K] | undefined) => {
    if (value === undefined || value === (person[name] ?? '')) return {};
    changed.push(field);
    return { [name]: value };
  };
  const facts = {
    ...set('externalId', 'external_id', row.externalId || undefined),
    ...set('displayName', 'display_name', row.displayName),
    ...set('department', 'department', row.department),
    ...set('title', 'title', row.title),
    ...set('language', 'language', row.language),
    ...set('site', 'site', row.site),
    ...set('managerId', 'manager', managerId),
    ...set('photoVersion', 'photo', row.photo?.version),
  };
  if (changed.length === 0) return { kind: 'unchanged' };
  const { addresses, former } = addressed;
  const primaryAddress = addresses[0] as string;
  const found = searchFields(row.displayName ?? person.displayName, addresses);
  return {
    kind: 'store',
    next: { ...person, ...facts, primaryAddress, addresses, former, version, ...found },
    changed,
  };
}

/** The primary address until now becomes a former one, unless the row names it among the others. */
function addressesAfter(person: Person, row: ImportRow, now: number) {
  const { primaryAddress } = person;
  const moved = row.address !== primaryAddress;
  const givenUp = moved && !row.otherAddresses.includes(primaryAddress);
  const kept = person.addresses.filter(a => a !== row.address && !(givenUp && a === primaryAddress));
  const gained = row.otherAddresses.filter(a => a !== row.address && !person.addresses.includes(a));
  const addresses = [row.address, ...kept, ...gained];
  const former = [
    ...person.former.filter(f => !addresses.includes(f.address)),
    ...(givenUp ? [{ address: primaryAddress, untilMs: now }] : []),
  ];
  const changed = [...(moved ? ['address'] : []), ...(gained.length > 0 ? ['other_addresses'] : [])];
  return { addresses, former, changed };
}
