import type { RoleName } from './roles.ts';
import { normaliseRoles, sameRoles } from './roles.ts';

/** Who may sign in, and how. One document, so that each change of it is one write. */
export interface Account {
  readonly v: 1;
  readonly state: AccountState;
  /** Only of a deleted one: since when, milliseconds since 1970-01-01 UTC, and what he comes back as. */
  readonly deleted?: { readonly atMs: number; readonly was: UsableState };
  readonly roles: readonly RoleName[];
  /** Sign-ins made under another epoch are over: raising it ends them all at once. */
  readonly epoch: number;
  /** argon2id in PHC form; null when there is none yet. */
  readonly password: string | null;
  readonly passwordChangeRequired: boolean;
  /** Of what services know of the account. */
  readonly version: number;
}

/** A deleted one stands for somebody whom only administrators see. */
export type AccountState = UsableState | 'deleted';
export type UsableState = 'enabled' | 'disabled';

export function newAccount(init: {
  readonly roles: readonly RoleName[];
  readonly password: string | null;
  readonly passwordChangeRequired: boolean;
  readonly version: number;
  readonly state?: UsableState;
}): Account {
  return { v: 1, epoch: 1, ...init, state: init.state ?? 'enabled', roles: normaliseRoles(init.roles) };
}

export function isAdministrator(account: Pick<Account, 'state' | 'roles'>): boolean {
  return account.state === 'enabled' && account.roles.includes('administrator');
}

/** Undefined when nothing would change. Disabling ends every sign-in, also for when he is enabled again. */
export function withState<A extends Account>(account: A, state: UsableState, version: number): A | undefined {
  if (account.state === state) return undefined;
  return { ...account, state, version, epoch: state === 'disabled' ? account.epoch + 1 : account.epoch };
}

/** As disabling, and remembers what he was. */
export function withDeletion<A extends Account>(account: A, now: number, version: number): A | undefined {
  if (account.state === 'deleted') return undefined;
  const deleted = { atMs: now, was: account.state };
  return { ...account, state: 'deleted', deleted, version, epoch: account.epoch + 1 };
}

/** The state he had; the sign-ins of then stay ended. */
export function withRestoration<A extends Account>(account: A, version: number): A | undefined {
  if (account.state !== 'deleted') return undefined;
  const { deleted, ...rest } = account;
  return { ...rest, state: deleted?.was ?? 'disabled', version } as unknown as A;
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
