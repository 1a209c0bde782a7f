import type { RateLimiter } from '@parley/rpc';
import type { Account } from '../domain/account.ts';
import { claimId } from '../domain/address-claim.ts';
import { normalisePassword } from '../domain/password.ts';
import type { Person } from '../domain/person.ts';
import type { RoleName } from '../domain/roles.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents, RefusalReason } from '../events.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type Call, causeOf } from './call.ts';
import type { PasswordGuard } from './password-guard.ts';
import { type StartNeeds, startSignIn, type TokenPair } from './start-sign-in.ts';
import { revisionOf } from './update.ts';

export interface SignInNeeds extends StartNeeds, Pick<Records, 'people' | 'accounts' | 'addresses'> {
  readonly passwords: PasswordGuard;
  readonly hasher: PasswordHasher;
  readonly addressRate: RateLimiter;
  readonly peerRate: RateLimiter;
  readonly events: DirectoryEvents;
}

export interface SignInCommand {
  /** Normalised. */
  readonly address: string;
  readonly password: string;
  readonly deviceLabel: string;
}

export interface SignedIn {
  readonly person: Stored<Person>;
  readonly roles: readonly RoleName[];
  readonly passwordChangeRequired: boolean;
  readonly tokens: TokenPair;
}

// No id of ours contains a dot. Unknown addresses cost the same reads as known ones.
const nobody = 'no.body';

export async function signIn(needs: SignInNeeds, command: SignInCommand, call: Call): Promise<SignedIn> {
  checkRate(needs, command.address, call);
  const password = normalisePassword(command.password);
  const claim = await needs.addresses.get(claimId(command.address));
  const person = await needs.people.get(claim?.personId ?? nobody);
  const account = await needs.accounts.get(claim?.personId ?? nobody);
  const known = person?.addresses.includes(command.address) && account ? { person, account } : undefined;
  const subject = known ? { personId: known.person._id } : { unknownAddress: command.address };
  const usable = known?.account.state === 'enabled' ? known.account.password : undefined;

  if (!(await needs.passwords.check(subject, password, usable, call)) || !known) {
    needs.events.signInRefused(reasonOf(known?.account), known?.person._id, causeOf(call));
    throw err('directory.sign_in_refused');
  }
  const started = await startSignIn(needs, known.account, command.deviceLabel);
  needs.events.signedIn(known.person._id, started.signInId, causeOf(call));
  await rehashIfOutdated(needs, known.account, password);
  const { roles, passwordChangeRequired } = known.account;
  return { person: known.person, roles, passwordChangeRequired, tokens: started.tokens };
}

function checkRate(needs: SignInNeeds, address: string, call: Call): void {
  const wait = needs.peerRate.take(call.peer) || needs.addressRate.take(address);
  if (wait === 0) return;
  needs.events.signInRefused('rate', undefined, causeOf(call));
  throw err('directory.sign_in_rate', { retryAfterMs: wait });
}

function reasonOf(account: Account | undefined): RefusalReason {
  if (!account) return 'unknown_address';
  if (account.state !== 'enabled') return 'disabled';
  return account.password === null ? 'no_password' : 'wrong_password';
}

/** The password is at hand only now. When it cannot be done, the next sign-in does it. */
async function rehashIfOutdated(needs: SignInNeeds, account: Stored<Account>, password: string): Promise<void> {
  if (account.password === null || !needs.hasher.isOutdated(account.password)) return;
  try {
    const renewed = { ...account, password: await needs.hasher.hash(password) };
    await needs.accounts.replace(renewed, revisionOf(account));
  } catch (error) {
    needs.events.passwordRehashFailed(account._id, error);
  }
}
