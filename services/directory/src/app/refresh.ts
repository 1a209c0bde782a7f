import type { RateLimiter } from '@parley/rpc';
import { hashSecret, isGenuine, parseRefreshToken, successorOf } from '../domain/refresh-token.ts';
import { decideRefresh } from '../domain/sign-in.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { Records } from '../ports/records.ts';
import { type Call, causeOf } from './call.ts';
import { issueTokens, type TokenNeeds, type TokenPair } from './start-sign-in.ts';
import { maxTries, revisionOf } from './update.ts';

export interface RefreshNeeds extends TokenNeeds, Pick<Records, 'signIns' | 'accounts'> {
  readonly refreshRate: RateLimiter;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

export async function refresh(needs: RefreshNeeds, refreshToken: string, call: Call): Promise<TokenPair> {
  const cause = causeOf(call);
  const token = parseRefreshToken(refreshToken);
  if (!token) {
    needs.events.refreshed('invalid', undefined, cause);
    throw err('directory.refresh_invalid', { field: 'refresh_token' });
  }
  const { signInId } = token;
  const wait = needs.refreshRate.take(signInId);
  if (wait > 0) {
    needs.events.refreshed('rate', signInId, cause);
    throw err('directory.refresh_rate', { retryAfterMs: wait });
  }
  const successor = successorOf(needs.refreshKey, token);
  const presented = {
    hash: hashSecret(token.secret),
    successorHash: hashSecret(successor),
    genuine: isGenuine(needs.refreshKey, token),
  };

  for (let i = 0; i < maxTries; i++) {
    const signIn = await needs.signIns.get(signInId);
    const account = signIn && (await needs.accounts.get(signIn.personId));
    if (!signIn || !account) {
      needs.events.refreshed(presented.genuine ? 'over' : 'invalid', signInId, cause);
      throw err(presented.genuine ? 'directory.sign_in_over' : 'directory.refresh_invalid', { field: 'refresh_token' });
    }
    const decision = decideRefresh(signIn, account, presented, needs.clock.now(), needs.refreshRule);
    switch (decision.kind) {
      case 'invalid':
        needs.events.refreshed('invalid', signInId, cause);
        throw err('directory.refresh_invalid', { field: 'refresh_token' });
      case 'over':
        needs.events.refreshed('over', signInId, cause);
        throw err(decision.reused ? 'directory.refresh_reused' : 'directory.sign_in_over');
      case 'repeat':
        needs.events.refreshed('repeated', signInId, cause);
        return issueTokens(needs, account, signIn, successor);
      case 'rotate': {
        if (!(await needs.signIns.replace(decision.next, revisionOf(signIn))).replaced) continue;
        needs.events.refreshed('rotated', signInId, cause);
        return issueTokens(needs, account, decision.next, successor);
      }
      case 'reused': {
        if (!(await needs.signIns.replace(decision.next, revisionOf(signIn))).replaced) continue;
        const { personId } = signIn;
        needs.events.refreshReused(personId, signInId, cause);
        const { traceparent } = call;
        needs.announcements.personChanged({
          personId,
          version: account.version,
          endedSignInIds: [signInId],
          traceparent,
        });
        throw err('directory.refresh_reused');
      }
    }
  }
  throw err('directory.busy');
}
