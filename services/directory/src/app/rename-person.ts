import { maxFormerAddresses, type Person, rename } from '../domain/person.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { type ClaimNeeds, claimAddress, claimDeadline } from './claim-address.ts';
import { checkOwnDomain } from './create-person.ts';
import { type AccountView, needAdministered, type PersonRef, viewOf } from './find-person.ts';
import { update } from './update.ts';
import type { Versions } from './versions.ts';

export interface RenamePersonNeeds extends ClaimNeeds, Pick<Records, 'accounts' | 'attempts'> {
  readonly domains: ReadonlySet<string>;
  readonly versions: Versions;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export interface RenameCommand {
  readonly person: PersonRef;
  /** Undefined keeps. */
  readonly displayName: string | undefined;
  readonly primaryAddress: string | undefined;
}

export async function renamePerson(
  needs: RenamePersonNeeds,
  command: RenameCommand,
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const { person, account } = await needAdministered(needs, command.person, actor);
  const { primaryAddress } = command;
  const checkDeadline = claimDeadline(needs);
  if (primaryAddress !== undefined && primaryAddress !== person.primaryAddress) {
    checkOwnDomain(needs.domains, primaryAddress, 'primary_address');
    await claimAddress(needs, primaryAddress, person._id, 'primary_address');
  }
  const version = await needs.versions.forPerson(person._id);
  let changed = false;
  const renamed = await update<Stored<Person>>(needs.people, person._id, doc => {
    const decision = rename(doc, command, needs.clock.now(), Math.max(version, doc.version + 1));
    if (decision.kind === 'too_many_former') {
      throw err('directory.too_many_addresses', { field: 'primary_address', params: { limit: maxFormerAddresses } });
    }
    changed = decision.kind === 'store';
    if (decision.kind !== 'store') return undefined;
    checkDeadline();
    return decision.next;
  });
  if (!renamed) throw err('directory.person_not_found', { field: 'person' });
  if (changed) {
    const addressChanged = renamed.primaryAddress !== person.primaryAddress;
    needs.events.personRenamed(person._id, addressChanged, causeOf(call, actor));
  }
  const { traceparent } = call;
  needs.announcements.personChanged({ personId: person._id, version: renamed.version, traceparent });
  return viewOf(needs, renamed, account);
}
