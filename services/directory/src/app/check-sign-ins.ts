import { isInForce } from '../domain/sign-in.ts';
import type { Records } from '../ports/records.ts';
import { getAll } from './update.ts';

export type CheckNeeds = Pick<Records, 'signIns' | 'accounts'> & { readonly clock: { now(): number } };

/** Those that are over. A thousand sign-ins a read, and as many accounts. */
export async function checkSignIns(needs: CheckNeeds, ids: readonly string[]): Promise<readonly string[]> {
  const signIns = await getAll(needs.signIns, ids);
  const people = new Set([...signIns.values()].map(signIn => signIn.personId));
  const accounts = await getAll(needs.accounts, people);
  const now = needs.clock.now();
  return [...new Set(ids)].filter(id => {
    const signIn = signIns.get(id);
    return !signIn || !isInForce(signIn, accounts.get(signIn.personId), now);
  });
}
