import type { RoleName } from './roles.ts';
import { normaliseRoles, sameRoles } from './roles.ts';

/** Who may sign in, and how. One document, so that each change of it is one write. */
export interface Account {
  readonly v: 1;
  readonly state: AccountState;
  readonly roles: readonly RoleName[];
  /** Sign-ins made under another epoch are over: raising it ends them all at once. */
  readonly epoch: number;
  /** argon2id in PHC form; null when there is none yet. */
  readonly password: string | null;
  readonly passwordChangeRequired: boolean;
  /** Of what services know of the account. */
  readonly version: number;
}

export type AccountState = 'enabled' | 'disabled';

export function newAccount(init: {
  readonly roles: readonly RoleName[];
  readonly password: string | null;
  readonly passwordChangeRequired: boolean;
  readonly version: number;
}): Account {
  return { v: 1, state: 'enabled', epoch: 1, ...init, roles: normaliseRoles(init.roles) };
}

export function isAdministrator(account: Pick<Account, 'state' | 'roles'>): boolean {
  return account.state === 'enabled' && account.roles.includes('administrator');
}

/** Undefined when nothing would change. Disabling ends every sign-in, also for when he is enabled again. */
export function withState<A extends Account>(account: A, state: AccountState, version: number): A | undefined {
  if (account.state === state) return undefined;
  return { ...account, state, version, epoch: state === 'disabled' ? account.epoch + 1 : account.epoch };
}

export function withRoles<A extends Account>(account: A, roles: readonly RoleName[], version: number): A | undefined {
  const wanted = normaliseRoles(roles);
  return sameRoles(account.roles, wanted) ? undefined : { ...account, roles: wanted, version };
}

/** A new password ends every sign-in that the old one began. */
export function withPassword<A extends Account>(account: A, password: string, changeRequired: boolean): A {
  return { ...account, password, passwordChangeRequired: changeRequired, epoch: account.epoch + 1 };
}

export function withoutSignIns<A extends Account>(account: A): A {
  return { ...account, epoch: account.epoch + 1 };
}
