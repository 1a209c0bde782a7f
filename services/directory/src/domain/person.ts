import { createHash } from 'node:crypto';
import { type SearchFields, searchFields } from './search-words.ts';

/** What the organisation knows of a person. Addresses are attributes; the id is the document's. */
export interface Person extends SearchFields {
  readonly v: 1;
  readonly kind: 'person';
  readonly displayName: string;
  readonly primaryAddress: string;
  /** Every address that leads to him now, the primary one first. */
  readonly addresses: readonly string[];
  readonly former: readonly FormerAddress[];
  readonly department: string;
  readonly title: string;
  readonly language: string;
  readonly site: string;
  /** Id of the person he reports to. */
  readonly managerId?: string;
  /** Names the picture he has; missing or empty when there is none. */
  readonly photoVersion?: string;
  /** The key by which another system knows him; once given it stays. */
  readonly externalId?: string;
  readonly createdMs: number;
  /** Of the request that made him, without the password. */
  readonly requestHash: string;
  /** Of what services know of him. */
  readonly version: number;
}

export interface FormerAddress {
  readonly address: string;
  readonly untilMs: number;
}

export const maxAddresses = 32;
export const maxFormerAddresses = 256;

/** What somebody is made of. */
export interface PersonDetails {
  readonly displayName: string;
  readonly addresses: readonly string[];
  readonly department: string;
  readonly title: string;
  readonly language: string;
  readonly site: string;
}

/**
 * The same request always makes the same person, also when it is repeated after a crash. No id begins with a dash: a
 * command line would take it for an option.
 */
export function personIdOf(requestId: string): string {
  const hash = createHash('sha256').update(`parley person\0${requestId.toLowerCase()}`).digest();
  return hash.toString('base64url', 0, 16).replace(/^-/, '0');
}

/** Tells a repeated request from another one under the same id. Passwords stay out: a quick hash would betray them. */
export function requestHashOf(details: PersonDetails, roles: readonly string[], changeRequired: boolean): string {
  const { displayName, addresses, department, title, language, site } = details;
  const content = JSON.stringify([displayName, addresses, department, title, language, site, roles, changeRequired]);
  return createHash('sha256').update(content).digest('base64url');
}

export function newPerson(
  details: PersonDetails,
  init: { readonly createdMs: number; readonly requestHash: string; readonly version: number },
): Person {
  const { displayName, department, title, language, site } = details;
  const addresses = [...new Set(details.addresses)];
  const primaryAddress = addresses[0] as string;
  const { createdMs, requestHash, version } = init;
  return {
    v: 1,
    kind: 'person',
    displayName,
    primaryAddress,
    addresses,
    former: [],
    department,
    title,
    language,
    site,
    createdMs,
    requestHash,
    version,
    ...searchFields(displayName, addresses),
  };
}

/** Whether the address is or was his. A claim that its person does not own up to is an unfinished one. */
export function ownsAddress(person: Pick<Person, 'addresses' | 'former'>, address: string): boolean {
  return person.addresses.includes(address) || person.former.some(f => f.address === address);
}

export type RenameDecision<P> =
  | { readonly kind: 'store'; readonly next: P }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'too_many_former' };

/** A new name or primary address; undefined keeps. The primary address until now becomes a former one. */
export function rename<P extends Person>(
  person: P,
  change: { readonly displayName: string | undefined; readonly primaryAddress: string | undefined },
  now: number,
  version: number,
): RenameDecision<P> {
  const displayName = change.displayName ?? person.displayName;
  const primaryAddress = change.primaryAddress ?? person.primaryAddress;
  const moved = primaryAddress !== person.primaryAddress;
  if (!moved && displayName === person.displayName) return { kind: 'unchanged' };
  const others = person.addresses.filter(a => a !== primaryAddress && !(moved && a === person.primaryAddress));
  const addresses = [primaryAddress, ...others];
  const former = moved
    ? [...person.former.filter(f => f.address !== primaryAddress), { address: person.primaryAddress, untilMs: now }]
    : person.former;
  if (former.length > maxFormerAddresses) return { kind: 'too_many_former' };
  const found = searchFields(displayName, addresses);
  return { kind: 'store', next: { ...person, displayName, primaryAddress, addresses, former, version, ...found } };
}
