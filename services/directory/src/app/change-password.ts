import { withPassword } from '../domain/account.ts';
import { normalisePassword } from '../domain/password.ts';
import { isInForce } from '../domain/sign-in.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Records } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { acceptPassword } from './new-password.ts';
import type { PasswordGuard } from './password-guard.ts';
import { type StartNeeds, startSignIn, type TokenPair } from './start-sign-in.ts';
import { update } from './update.ts';

export interface ChangePasswordNeeds extends StartNeeds, Pick<Records, 'people' | 'accounts'> {
  readonly passwords: PasswordGuard;
  readonly hasher: PasswordHasher;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export async function changePassword(
  needs: ChangePasswordNeeds,
  command: { readonly currentPassword: string; readonly newPassword: string },
  actor: Actor,
  call: Call,
): Promise<TokenPair> {
  const { personId, signInId } = actor;
  const [person, account, signIn] = await Promise.all([
    needs.people.get(personId),
    needs.accounts.get(personId),
    needs.signIns.get(signInId),
  ]);
  const inForce = signIn?.personId === personId && isInForce(signIn, account, needs.clock.now());
  if (!person || !account || !inForce) throw err('directory.sign_in_over');
  const current = normalisePassword(command.currentPassword);
  if (!(await needs.passwords.check({ personId }, current, account.password, call))) {
    throw err('directory.password_wrong', { field: 'current_password' });
  }
  const next = acceptPassword(command.newPassword, person, 'new_password');
  if (next === current) throw err('directory.password_unchanged', { field: 'new_password' });
  const hash = await needs.hasher.hash(next, call.signal);
  const changed = await update(needs.accounts, personId, doc => {
    // Another change may have come first; this one was allowed on the strength of the old password and sign-in.
    if (doc.password !== account.password || doc.epoch !== account.epoch) throw err('directory.busy');
    if (doc.state !== 'enabled') throw err('directory.sign_in_over');
    return withPassword(doc, hash, false);
  });
  if (!changed) throw err('directory.sign_in_over');
  const { version } = changed;
  const { traceparent } = call;
  needs.announcements.personChanged({ personId, version, allSignInsEnded: true, traceparent });
  needs.events.passwordChanged(personId, causeOf(call));
  return (await startSignIn(needs, changed, signIn.deviceLabel)).tokens;
}
