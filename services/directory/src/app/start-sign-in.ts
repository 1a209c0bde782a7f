import type { Clock, Ids } from '@parley/runtime';
import type { Account } from '../domain/account.ts';
import { formatRefreshToken, hashSecret } from '../domain/refresh-token.ts';
import { newSignIn, type RefreshRule, type SignIn } from '../domain/sign-in.ts';
import type { AccessTokens } from '../ports/access-tokens.ts';
import type { Records, Stored } from '../ports/records.ts';

export interface TokenPair {
  readonly accessToken: string;
  readonly accessExpiresMs: number;
  readonly refreshToken: string;
  readonly refreshExpiresMs: number;
  readonly serverTimeMs: number;
}

export interface TokenNeeds {
  readonly clock: Clock;
  readonly accessTokens: AccessTokens;
  /** 256 bits or more, kept outside the database. */
  readonly refreshKey: Uint8Array;
  readonly refreshRule: RefreshRule;
}

export interface StartNeeds extends TokenNeeds, Pick<Records, 'signIns'> {
  readonly ids: Ids;
  readonly signInsPerPerson: number;
}

/** `account` must be as it was when the password was checked: its epoch decides whether the sign-in counts. */
export async function startSignIn(
  needs: StartNeeds,
  account: Stored<Account>,
  deviceLabel: string,
): Promise<{ readonly signInId: string; readonly tokens: TokenPair }> {
  const personId = account._id;
  await endOldest(needs, personId);
  const secret = needs.ids.bytes(32);
  const signInId = needs.ids.opaque();
  const init = { personId, epoch: account.epoch, deviceLabel, currentHash: hashSecret(secret) };
  const signIn = { _id: signInId, ...newSignIn(init, needs.clock.now(), needs.refreshRule) };
  await needs.signIns.insert(signIn);
  return { signInId, tokens: await issueTokens(needs, account, signIn, secret) };
}

export async function issueTokens(
  needs: TokenNeeds,
  account: Stored<Account>,
  signIn: Stored<SignIn>,
  secret: Uint8Array,
): Promise<TokenPair> {
  const { token, expiresMs } = await needs.accessTokens.issue({
    personId: account._id,
    signInId: signIn._id,
    roles: account.roles,
    passwordChangeRequired: account.passwordChangeRequired,
  });
  return {
    accessToken: token,
    accessExpiresMs: expiresMs,
    refreshToken: formatRefreshToken(needs.refreshKey, signIn._id, secret),
    refreshExpiresMs: signIn.idleEndMs,
    serverTimeMs: needs.clock.now(),
  };
}

/** A sign-in whose document is gone is over. */
async function endOldest(needs: StartNeeds, personId: string): Promise<void> {
  const { signIns, signInsPerPerson } = needs;
  const standing = await signIns.count('byPerson', { equals: [personId] }, 10_000);
  if (standing < signInsPerPerson) return;
  const oldest = await signIns.scan('byPerson', { equals: [personId], limit: standing - signInsPerPerson + 1 });
  await signIns.deleteMany(oldest.docs.map(doc => doc._id));
}
