import { isAdministrator, newAccount } from '../domain/account.ts';
import { domainOf } from '../domain/organisation.ts';
import { newPerson, type Person, type PersonDetails, personIdOf, requestHashOf } from '../domain/person.ts';
import { normaliseRoles, type RoleName } from '../domain/roles.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type AdministratorsNeeds, listAdministrator } from './administrators.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { type ClaimNeeds, claimAddress, claimDeadline } from './claim-address.ts';
import { type AccountView, needAccount, viewOf } from './find-person.ts';
import { acceptPassword } from './new-password.ts';
import type { Versions } from './versions.ts';

export interface CreatePersonNeeds extends ClaimNeeds, AdministratorsNeeds, Pick<Records, 'attempts'> {
  /** Domains of the organisation. */
  readonly domains: ReadonlySet<string>;
  readonly hasher: PasswordHasher;
  readonly versions: Versions;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export interface CreatePersonCommand extends PersonDetails {
  readonly requestId: string;
  /** Undefined: cannot sign in until a password is set. */
  readonly password: string | undefined;
  readonly passwordChangeRequired: boolean;
  readonly roles: readonly RoleName[];
}

/**
 * Claims, account, person, in this order: the person's document makes him visible, and a repeated request goes through
 * the same steps and finishes what is missing. `creator` undefined is the installation itself.
 */
export async function createPerson(
  needs: CreatePersonNeeds,
  command: CreatePersonCommand,
  creator: Actor | undefined,
  call: Call,
): Promise<AccountView> {
  if (command.roles.length > 0 && creator && !creator.roles.includes('administrator')) {
    throw err('directory.roles_need_administrator', { field: 'roles' });
  }
  for (const address of command.addresses) checkOwnDomain(needs.domains, address, 'address');
  const personId = personIdOf(command.requestId);
  const roles = normaliseRoles(command.roles);
  const requestHash = requestHashOf(command, roles, command.passwordChangeRequired);
  const known = await needs.people.get(personId);
  const person = known ?? (await make(needs, command, personId, requestHash, call));
  if (person.requestHash !== requestHash) throw err('directory.request_reused', { field: 'request_id' });

  const account = await needAccount(needs, personId);
  if (isAdministrator(account)) await listAdministrator(needs, personId, account);
  needs.announcements.personChanged({ personId, version: person.version, traceparent: call.traceparent });
  if (!known) needs.events.personCreated(personId, account.roles, causeOf(call, creator));
  return viewOf(needs, person, account);
}

async function make(
  needs: CreatePersonNeeds,
  command: CreatePersonCommand,
  personId: string,
  requestHash: string,
  call: Call,
): Promise<Stored<Person>> {
  const accepted = command.password && acceptPassword(command.password, command, 'initial_password');
  const password = accepted ? await needs.hasher.hash(accepted, call.signal) : null;
  const checkDeadline = claimDeadline(needs);
  for (const address of command.addresses) await claimAddress(needs, address, personId, 'address');
  const version = await needs.versions.forPerson(personId);
  const { passwordChangeRequired, roles } = command;
  await needs.accounts.insert({ _id: personId, ...newAccount({ roles, password, passwordChangeRequired, version }) });
  checkDeadline();
  const init = { createdMs: needs.clock.now(), requestHash, version };
  const person = { _id: personId, ...newPerson(command, init) };
  if ((await needs.people.insert(person)).inserted) return { ...person, _rev: 1 };
  return (await needs.people.get(personId)) ?? person;
}

export function checkOwnDomain(domains: ReadonlySet<string>, address: string, field: string): void {
  const domain = domainOf(address);
  if (!domains.has(domain)) throw err('directory.domain_foreign', { field, params: { domain } });
}
