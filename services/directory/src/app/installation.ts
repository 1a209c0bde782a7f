import { isAdministrator } from '../domain/account.ts';
import { normaliseAddress } from '../domain/address.ts';
import { maxAdministrators } from '../domain/administrators.ts';
import type { Actor, Call } from './call.ts';
import { type DeletePersonNeeds, deletePerson } from './delete-person.ts';
import { findPerson } from './find-person.ts';

/** Who acts when the installation itself does: whoever owns its data and keys. */
const installation: Actor = { personId: 'installation', signInId: 'installation', roles: ['administrator'] };

/** How many enabled administrators there are. */
export async function countAdministrators(needs: Pick<DeletePersonNeeds, 'accounts'>): Promise<number> {
  const { docs } = await needs.accounts.scan('byRole', { equals: ['administrator'], limit: maxAdministrators });
  return docs.filter(isAdministrator).length;
}

/** Those of the addresses whose people may sign in. */
export async function enabledAmong(
  needs: Pick<DeletePersonNeeds, 'accounts' | 'people' | 'addresses'>,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const text of addresses) {
    const address = normaliseAddress(text);
    const person = address.ok && (await findPerson(needs, { address: address.address }));
    if (person && (await needs.accounts.get(person._id))?.state === 'enabled') found.push(text);
  }
  return found;
}

/** Deletes the people of these addresses; they and their messages can be restored. Returns who was deleted. */
export async function deleteAmong(
  needs: DeletePersonNeeds,
  addresses: readonly string[],
  call: Call,
): Promise<readonly string[]> {
  const enabled = await enabledAmong(needs, addresses);
  for (const address of enabled) await deletePerson(needs, { address }, installation, call);
  return enabled;
}
