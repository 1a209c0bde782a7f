import { newAccount, withState } from '../../domain/account.ts';
import { applyRow, type ImportRow } from '../../domain/import-row.ts';
import { newPerson, type Person } from '../../domain/person.ts';
import type { Photo } from '../../domain/photo.ts';
import { directoryErrors as err } from '../../errors.ts';
import type { Stored } from '../../ports/records.ts';
import { changeAccount } from '../administrators.ts';
import { type Actor, type Call, causeOf } from '../call.ts';
import { claimAddress, claimDeadline, claimExternalId } from '../claim-address.ts';
import { checkMayAdminister, checkNotDeleted } from '../find-person.ts';
import { maxTries, revisionOf } from '../update.ts';
import type { ImportNeeds } from './import-people.ts';
import type { RowPlan } from './plan-row.ts';

/** What writing needs beside the plan. */
export interface WriteContext {
  readonly actor: Actor | undefined;
  readonly call: Call;
  readonly passwordChangeRequired: boolean;
}

/** `again`: somebody else was faster; look and plan anew. */
export type Written = 'done' | 'again';

/** Password hashed beforehand: between claim and use little time may pass. */
export async function writeNewPerson(
  needs: ImportNeeds,
  plan: RowPlan,
  version: number,
  passwordHash: string | null,
  context: WriteContext,
): Promise<Written> {
  const { row, personId } = plan;
  const checkDeadline = claimDeadline(needs);
  await claimAll(needs, row, personId);
  const state = row.enabled === false ? 'disabled' : 'enabled';
  const passwordChangeRequired = passwordHash !== null && context.passwordChangeRequired;
  const init = { roles: [], password: passwordHash, passwordChangeRequired, version, state } as const;
  await needs.accounts.insert({ _id: personId, ...newAccount(init) });
  if (row.photo?.version) await putPhoto(needs, personId, row);
  checkDeadline();
  const person = { _id: personId, ...personOf(plan, row, needs.clock.now(), version) };
  if (!(await needs.people.insert(person)).inserted) return 'again';
  needs.announcements.personChanged({ personId, version, traceparent: context.call.traceparent });
  needs.events.personCreated(personId, [], causeOf(context.call, context.actor));
  return 'done';
}

function personOf(plan: RowPlan, row: ImportRow, now: number, version: number): Person {
  const details = {
    displayName: row.displayName as string,
    addresses: [row.address, ...row.otherAddresses],
    department: row.department ?? '',
    title: row.title ?? '',
    language: row.language ?? '',
    site: row.site ?? '',
  };
  const person = newPerson(details, { createdMs: now, requestHash: '', version });
  return {
    ...person,
    ...(row.externalId ? { externalId: row.externalId } : {}),
    ...(plan.managerId ? { managerId: plan.managerId } : {}),
    ...(row.photo?.version ? { photoVersion: row.photo.version } : {}),
  };
}

export async function writeChanges(
  needs: ImportNeeds,
  plan: RowPlan,
  person: Stored<Person>,
  version: number,
  context: WriteContext,
): Promise<Written> {
  const { row, personId } = plan;
  const { traceparent } = context.call;
  const cause = causeOf(context.call, context.actor);
  const now = needs.clock.now();
  const decision = applyRow(person, row, plan.managerId, now, version);
  const checkDeadline = claimDeadline(needs);
  if (decision.kind === 'store') await claimAll(needs, row, personId);
  let disabled: boolean | undefined;
  if (plan.changed.includes('enabled')) {
    const account = await setState(needs, plan, version, context);
    disabled = account.state === 'disabled';
    needs.events.accountStateChanged(personId, account.state, cause);
    needs.announcements.personChanged({
      ...{ personId, version: account.version, disabled, allSignInsEnded: disabled, traceparent },
    });
  }
  if (decision.kind !== 'store') return 'done';
  const photoChanged = decision.changed.includes('photo');
  if (photoChanged && row.photo?.version) await putPhoto(needs, personId, row);
  checkDeadline();
  if (!(await needs.people.replace(decision.next, revisionOf(person))).replaced) return 'again';
  if (photoChanged && !row.photo?.version) await needs.photos.delete(personId);
  needs.announcements.personChanged({ personId, version, traceparent });
  needs.events.personUpdated(personId, decision.changed, cause);
  return 'done';
}

async function setState(needs: ImportNeeds, plan: RowPlan, version: number, { actor }: WriteContext) {
  const state = plan.row.enabled ? 'enabled' : 'disabled';
  return changeAccount(
    needs,
    plan.personId,
    account => {
      if (actor) checkMayAdminister(actor, account, 'enabled');
      checkNotDeleted(account, 'enabled');
      return withState(account, state, Math.max(version, account.version + 1));
    },
    'enabled',
  );
}

async function claimAll(needs: ImportNeeds, row: ImportRow, personId: string): Promise<void> {
  const { externalId, address, otherAddresses } = row;
  const claims = [
    claimAddress(needs, address, personId, 'address'),
    ...otherAddresses.map(other => claimAddress(needs, other, personId, 'other_addresses')),
    ...(externalId ? [claimExternalId(needs, externalId, personId, 'external_id')] : []),
  ];
  const results = await Promise.allSettled(claims);
  const failed = results.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function putPhoto(needs: ImportNeeds, personId: string, row: ImportRow): Promise<void> {
  const { mediaType, data, version } = row.photo as {
    mediaType: Photo['mediaType'];
    data: Uint8Array;
    version: string;
  };
  const photo = { _id: personId, v: 1 as const, mediaType, data, version };
  for (let i = 0; i < maxTries; i++) {
    if ((await needs.photos.insert(photo)).inserted) return;
    const known = await needs.photos.get(personId);
    if (known?.version === version) return;
    if (known && (await needs.photos.replace(photo, revisionOf(known))).replaced) return;
  }
  throw err('directory.busy');
}
