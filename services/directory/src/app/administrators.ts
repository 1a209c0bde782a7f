import type { Clock } from '@parley/runtime';
import { type Account, isAdministrator } from '../domain/account.ts';
import { type Administrators, join, leave, maxAdministrators, noAdministrators } from '../domain/administrators.ts';
import { directoryErrors as err } from '../errors.ts';
import type { Records, Stored } from '../ports/records.ts';
import { getAll, maxTries, revisionOf } from './update.ts';

export type AdministratorsNeeds = Pick<Records, 'guards' | 'accounts' | 'people'> & { readonly clock: Clock };

const guardId = 'administrators';

/**
 * Changes an account so that an enabled administrator is left at every moment: whoever ceases to be one is taken off
 * the list of them first, whoever becomes one is put on it afterwards. A repeated call completes what a crash cut off.
 */
export async function changeAccount(
  needs: AdministratorsNeeds,
  personId: string,
  decide: (account: Stored<Account>) => Stored<Account> | undefined,
  field = 'person',
): Promise<Stored<Account>> {
  for (let i = 0; i < maxTries; i++) {
    const account = await needs.accounts.get(personId);
    if (!account) throw err('directory.person_not_found', { field });
    const next = decide(account);
    if (!next) {
      if (isAdministrator(account)) await listAdministrator(needs, personId, account);
      return account;
    }
    if (isAdministrator(account) && !isAdministrator(next)) await unlist(needs, personId, revisionOf(account), field);
    const result = await needs.accounts.replace(next, revisionOf(account));
    if (!result.replaced) continue;
    const stored = { ...next, _rev: result.revision };
    if (isAdministrator(stored)) await listAdministrator(needs, personId, stored);
    return stored;
  }
  throw err('directory.busy');
}

/** Puts an account that was just written on the list, if it still is an enabled administrator's. */
export async function listAdministrator(
  needs: AdministratorsNeeds,
  personId: string,
  written: Stored<Account>,
): Promise<void> {
  let account = written;
  for (let i = 0; i < maxTries; i++) {
    const guard = await readGuard(needs);
    const decision = join(guard, personId, revisionOf(account));
    if (decision.kind === 'unchanged') return;
    if (decision.kind === 'full')
      throw err('directory.too_many_administrators', { params: { limit: maxAdministrators } });
    if (decision.kind === 'store') {
      if ((await needs.guards.replace(decision.next, revisionOf(guard))).replaced) return;
      continue;
    }
    const fresh = await needs.accounts.get(personId);
    if (!fresh || !isAdministrator(fresh)) return;
    const again = await needs.accounts.replace(fresh, revisionOf(fresh));
    if (again.replaced) account = { ...fresh, _rev: again.revision };
  }
  throw err('directory.busy');
}

async function unlist(needs: AdministratorsNeeds, personId: string, revision: number, field: string): Promise<void> {
  let completed = false;
  for (let i = 0; i < maxTries; i++) {
    const guard = await readGuard(needs);
    const decision = leave(guard, personId, revision, needs.clock.now());
    if (decision.kind === 'store') {
      if ((await needs.guards.replace(decision.next, revisionOf(guard))).replaced) return;
      continue;
    }
    // A crash may have left others off the list; look before refusing.
    if (completed) throw err('directory.last_administrator', { field });
    completed = true;
    await listOthers(needs, guard, personId);
  }
  throw err('directory.busy');
}

async function listOthers(needs: AdministratorsNeeds, guard: Administrators, exceptId: string): Promise<void> {
  const page = await needs.accounts.scan('byRole', { equals: ['administrator'], limit: maxAdministrators });
  const missing = page.docs.filter(
    account => isAdministrator(account) && account._id !== exceptId && !guard.members.some(m => m.id === account._id),
  );
  const known = await getAll(
    needs.people,
    missing.map(account => account._id),
  );
  for (const account of missing) if (known.has(account._id)) await listAdministrator(needs, account._id, account);
}

async function readGuard(needs: Pick<Records, 'guards'>): Promise<Stored<Administrators>> {
  for (let i = 0; i < maxTries; i++) {
    const guard = await needs.guards.get(guardId);
    if (guard) return guard;
    await needs.guards.insert({ _id: guardId, ...noAdministrators });
  }
  throw err('directory.busy');
}
