import { withPassword } from '../domain/account.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Records } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import {
  type AccountView,
  attemptsIdOf,
  checkMayAdminister,
  checkNotDeleted,
  needAdministered,
  type PersonRef,
} from './find-person.ts';
import { acceptPassword } from './new-password.ts';
import { update } from './update.ts';

export interface ResetPasswordNeeds extends Pick<Records, 'people' | 'accounts' | 'addresses' | 'attempts'> {
  readonly hasher: PasswordHasher;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export async function resetPassword(
  needs: ResetPasswordNeeds,
  command: { readonly person: PersonRef; readonly newPassword: string },
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const { person, account } = await needAdministered(needs, command.person, actor);
  const hash = await needs.hasher.hash(acceptPassword(command.newPassword, person, 'new_password'), call.signal);
  const changed = await update(needs.accounts, person._id, doc => {
    checkMayAdminister(actor, doc);
    checkNotDeleted(doc);
    return withPassword(doc, hash, true);
  });
  await needs.attempts.delete(attemptsIdOf(person._id));
  const { traceparent } = call;
  const { version } = account;
  needs.announcements.personChanged({ personId: person._id, version, allSignInsEnded: true, traceparent });
  needs.events.passwordReset(person._id, causeOf(call, actor));
  return { person, account: changed ?? account, lockedUntilMs: 0 };
}
