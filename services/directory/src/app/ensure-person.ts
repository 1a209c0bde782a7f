import { normaliseAddress } from '../domain/address.ts';
import type { RoleName } from '../domain/roles.ts';
import { length, tidy } from '../domain/text.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Call } from './call.ts';
import { type ChangeAccountNeeds, setRoles } from './change-account.ts';
import { type CreatePersonNeeds, createPerson } from './create-person.ts';
import { findPerson, needAccount } from './find-person.ts';

/** Somebody the installation itself needs: its first administrator, the people of a demonstration. */
export interface EnsurePersonCommand {
  readonly address: string;
  readonly displayName: string;
  /** 12 to 256 bytes; undefined makes an account that cannot sign in yet. */
  readonly password: string | undefined;
  readonly passwordChangeRequired?: boolean;
  readonly roles?: readonly RoleName[];
  readonly otherAddresses?: readonly string[];
  readonly department?: string;
  readonly title?: string;
  readonly language?: string;
  readonly site?: string;
}

export interface Ensured {
  readonly personId: string;
  /** False when the address led to somebody already; his password stays as it is. */
  readonly created: boolean;
}

export type EnsureNeeds = CreatePersonNeeds & ChangeAccountNeeds;

export async function ensurePerson(needs: EnsureNeeds, command: EnsurePersonCommand, call: Call): Promise<Ensured> {
  const addresses = [command.address, ...(command.otherAddresses ?? [])].map(normalised);
  const address = addresses[0] as string;
  const known = await findPerson(needs, { address });
  if (known) {
    if (command.roles?.length) await addRoles(needs, known._id, command.roles, call);
    return { personId: known._id, created: false };
  }
  const details = {
    displayName: nameOf(command.displayName),
    addresses,
    department: command.department ?? '',
    title: command.title ?? '',
    language: command.language ?? '',
    site: command.site ?? '',
  };
  const view = await createPerson(
    needs,
    {
      ...details,
      requestId: `installation:${address}`,
      password: command.password,
      passwordChangeRequired: command.passwordChangeRequired ?? false,
      roles: command.roles ?? [],
    },
    undefined,
    call,
  );
  return { personId: view.person._id, created: true };
}

/** Also when he holds them: a crash may have left him off the list of administrators. */
async function addRoles(needs: EnsureNeeds, id: string, wanted: readonly RoleName[], call: Call): Promise<void> {
  const { roles } = await needAccount(needs, id);
  await setRoles(needs, { person: { id }, roles: [...roles, ...wanted] }, undefined, call);
}

function normalised(address: string): string {
  const result = normaliseAddress(address);
  if (!result.ok) throw err('directory.address_invalid', { field: 'address' });
  return result.address;
}

function nameOf(displayName: string): string {
  const name = tidy(displayName);
  const field = 'display_name';
  if (name === '') throw err('directory.field_missing', { field });
  if (length(name) > 256) throw err('directory.too_long', { field, params: { limit: 256, unit: 'characters' } });
  return name;
}
