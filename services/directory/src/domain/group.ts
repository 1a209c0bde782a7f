import { foldName, keyOf } from './fold.ts';
import { type SearchFields, searchFields } from './search-words.ts';

/** A group of people. Its id is the document's; who is in it stands in documents of their own. */
export interface Group extends SearchFields {
  readonly v: 1;
  readonly name: string;
  /** No two groups have the same. */
  readonly nameKey: string;
  readonly description: string;
  /** As counted after the last change. */
  readonly memberCount: number;
}

export interface Membership {
  readonly v: 1;
  readonly groupId: string;
  readonly personId: string;
  /** False while the person is deleted. */
  readonly shown: boolean;
}

export const maxGroupMembers = 10_000;

/** The same for names that differ in case, width or spaces only. */
export function groupKey(name: string): string {
  return keyOf(foldName(name));
}

export function newGroup(name: string, description: string): Group {
  return { v: 1, name, nameKey: groupKey(name), description, memberCount: 0, ...searchFields(name, []) };
}

/** Undefined when nothing would change; undefined values keep. */
export function changeGroup<G extends Group>(
  group: G,
  change: { readonly name: string | undefined; readonly description: string | undefined },
): G | undefined {
  const name = change.name ?? group.name;
  const description = change.description ?? group.description;
  if (name === group.name && description === group.description) return undefined;
  return { ...group, name, nameKey: groupKey(name), description, ...searchFields(name, []) };
}

export const membershipId = (groupId: string, personId: string) => `${groupId}.${personId}`;

export function newMembership(groupId: string, personId: string): Membership & { readonly _id: string } {
  return { _id: membershipId(groupId, personId), v: 1, groupId, personId, shown: true };
}
