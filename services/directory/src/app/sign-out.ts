import { withoutSignIns } from '../domain/account.ts';
import { equalBytes, hashSecret, isGenuine, parseRefreshToken, type RefreshToken } from '../domain/refresh-token.ts';
import { endSignIn, isInForce, type SignIn } from '../domain/sign-in.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { Records } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { checkMayAdminister, needAdministered, type PersonRef } from './find-person.ts';
import { update } from './update.ts';

export interface SignOutNeeds extends Pick<Records, 'signIns' | 'accounts'> {
  readonly clock: { now(): number };
  readonly refreshKey: Uint8Array;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

/** A sign-in that is over, or long forgotten, needs no ending. */
export async function signOut(
  needs: SignOutNeeds,
  command: { readonly refreshToken: string; readonly everywhere: boolean },
  call: Call,
): Promise<void> {
  const token = parseRefreshToken(command.refreshToken);
  if (!token) throw err('directory.refresh_invalid', { field: 'refresh_token' });
  const signIn = await needs.signIns.get(token.signInId);
  if (!signIn) return;
  const recent = isRecent(signIn, token);
  if (!recent && !isGenuine(needs.refreshKey, token))
    throw err('directory.refresh_invalid', { field: 'refresh_token' });
  const account = await needs.accounts.get(signIn.personId);
  const now = needs.clock.now();
  if (!account || !isInForce(signIn, account, now)) return;
  const { personId } = signIn;
  const { version } = account;
  const { traceparent } = call;
  // Somebody with an old copy may end this sign-in, which ends his copy too, but not all the others.
  const everywhere = command.everywhere && recent;
  if (everywhere) {
    await update(needs.accounts, personId, doc => (doc.epoch === signIn.epoch ? withoutSignIns(doc) : undefined));
    needs.announcements.personChanged({ personId, version, allSignInsEnded: true, traceparent });
  } else {
    await update(needs.signIns, signIn._id, doc =>
      doc.endedMs === null ? endSignIn(doc, 'signed_out', now) : undefined,
    );
    needs.announcements.personChanged({ personId, version, endedSignInIds: [signIn._id], traceparent });
  }
  needs.events.signedOut(personId, signIn._id, everywhere, causeOf(call));
}

function isRecent(signIn: SignIn, token: RefreshToken): boolean {
  const hash = hashSecret(token.secret);
  return [signIn.currentHash, signIn.previousHash].some(known => known !== null && equalBytes(hash, known));
}

export type SignOutPersonNeeds = Omit<SignOutNeeds, 'refreshKey'> & Pick<Records, 'people' | 'addresses'>;

export async function signOutPerson(
  needs: SignOutPersonNeeds,
  ref: PersonRef,
  actor: Actor,
  call: Call,
): Promise<void> {
  const { person, account } = await needAdministered(needs, ref, actor);
  await update(needs.accounts, person._id, doc => {
    checkMayAdminister(actor, doc);
    return withoutSignIns(doc);
  });
  const { traceparent } = call;
  const personId = person._id;
  needs.announcements.personChanged({ personId, version: account.version, allSignInsEnded: true, traceparent });
  needs.events.signedOut(personId, undefined, true, causeOf(call, actor));
}
