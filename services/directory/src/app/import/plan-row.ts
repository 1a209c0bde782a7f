import { type Group, groupKey, maxGroupMembers } from '../../domain/group.ts';
import { applyRow, type ImportRow } from '../../domain/import-row.ts';
import type { Person } from '../../domain/person.ts';
import { directoryErrors as err } from '../../errors.ts';
import type { Stored } from '../../ports/records.ts';
import type { Actor } from '../call.ts';
import { checkMayAdminister, checkNotDeleted } from '../find-person.ts';
import { acceptPassword } from '../new-password.ts';
import { type Known, newPersonId, targetOf } from './known.ts';

/** What is to be done for a row. */
export interface RowPlan {
  readonly row: ImportRow;
  readonly personId: string;
  /** Undefined: he is to be made. */
  readonly person: Stored<Person> | undefined;
  /** Undefined keeps, empty takes away. */
  readonly managerId: string | undefined;
  /** Normalised; undefined for none. */
  readonly password: string | undefined;
  /** Fields that are not as the row says; empty for a new person. */
  readonly changed: readonly string[];
  readonly join: readonly string[];
  readonly leaveIds: readonly string[];
}

/** How many rows before this one join a group, by its key. */
export type Joining = ReadonlyMap<string, number>;

/** Ids of those whom other rows of the same request are about, by key and by address. */
export type Named = ReadonlyMap<string, string>;

/** Throws the refusal of the row. */
export function planRow(
  known: Known,
  row: ImportRow,
  named: Named,
  joining: Joining,
  actor: Actor | undefined,
  now: number,
): RowPlan {
  const person = targetOf(known, row);
  const matched = person && person.externalId === row.externalId && row.externalId !== '' ? 'external_id' : 'address';
  if (person) checkTarget(known, row, person, matched, actor);
  for (const [address, field] of namedAddresses(row)) {
    const owner = known.byAddress(address);
    if (owner && owner._id !== person?._id) throw err('directory.address_taken', { field });
  }
  const personId = person?._id ?? newPersonId(row);
  const managerId = row.manager === undefined ? undefined : managerOf(known, row.manager, named, personId);
  const groups = groupsToChange(known, row, personId, joining);
  const plan = { row, personId, person, managerId, ...groups };
  if (person) return { ...plan, password: undefined, changed: changesOf(known, plan, person, now) };
  const { displayName } = row;
  if (displayName === undefined) throw err('directory.field_missing', { field: 'display_name' });
  const addresses = [row.address, ...row.otherAddresses];
  const password = row.initialPassword
    ? acceptPassword(row.initialPassword, { displayName, addresses }, 'initial_password')
    : undefined;
  return { ...plan, password, changed: [] };
}

function checkTarget(
  known: Known,
  row: ImportRow,
  person: Stored<Person>,
  field: string,
  actor: Actor | undefined,
): void {
  const account = known.account(person._id);
  if (!account) throw err('directory.person_not_found', { field });
  checkNotDeleted(account, field);
  if (actor) checkMayAdminister(actor, account, field);
  if (row.externalId !== '' && person.externalId && person.externalId !== row.externalId) {
    throw err('directory.external_id_conflict', { field: 'external_id' });
  }
}

function namedAddresses(row: ImportRow): readonly (readonly [string, string])[] {
  return [[row.address, 'address'], ...row.otherAddresses.map(other => [other, 'other_addresses'] as const)];
}

function managerOf(known: Known, ref: string, named: Named, personId: string): string {
  const field = 'manager';
  if (ref === '') return '';
  const manager = known.byExternalId(ref) ?? known.byAddress(ref) ?? known.byId(ref);
  const managerId = manager?._id ?? named.get(ref);
  if (managerId === undefined) throw err('directory.manager_not_found', { field });
  if (managerId === personId) throw err('directory.manager_self', { field });
  if (manager && known.account(managerId)?.state === 'deleted') throw err('directory.manager_not_found', { field });
  return managerId;
}

function groupsToChange(known: Known, row: ImportRow, personId: string, joining: Joining) {
  if (!row.groups) return { join: [], leaveIds: [] };
  const present = known.groupsOf(personId);
  const wanted = row.groups.map(name => ({ name, group: known.group(name) }));
  const isIn = (group: Stored<Group> | undefined) => group !== undefined && present.has(group._id);
  const join = wanted.filter(({ group }) => !isIn(group));
  const sizeOf = (name: string, group: Group | undefined) =>
    (group?.memberCount ?? 0) + (joining.get(groupKey(name)) ?? 0);
  if (join.some(({ name, group }) => sizeOf(name, group) >= maxGroupMembers)) {
    throw err('directory.group_full', { field: 'groups', params: { limit: maxGroupMembers } });
  }
  const wantedIds = new Set(wanted.flatMap(({ group }) => group?._id ?? []));
  return { join: join.map(({ name }) => name), leaveIds: [...present].filter(id => !wantedIds.has(id)) };
}

function changesOf(
  known: Known,
  plan: Pick<RowPlan, 'row' | 'managerId' | 'join' | 'leaveIds'>,
  person: Stored<Person>,
  now: number,
): readonly string[] {
  const { row, managerId, join, leaveIds } = plan;
  const decision = applyRow(person, row, managerId, now, person.version);
  if (decision.kind === 'too_many') {
    throw err('directory.too_many_addresses', { field: decision.field, params: { limit: decision.limit } });
  }
  const enabled = known.account(person._id)?.state === 'enabled';
  return [
    ...(decision.kind === 'store' ? decision.changed : []),
    ...(join.length + leaveIds.length > 0 ? ['groups'] : []),
    ...(row.enabled !== undefined && row.enabled !== enabled ? ['enabled'] : []),
  ];
}
