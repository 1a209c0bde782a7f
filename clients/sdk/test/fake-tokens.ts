import { Code, type ServiceImpl } from '@connectrpc/connect';
import type { AuthService } from '@parley/contracts/directory/v1/auth';
import { refusal } from './fake-server.ts';

const ACCESS_MS = 900_000;
const REFRESH_MS = 14 * 86_400_000;
const GRACE_MS = 30_000;

/** Sign-ins as the directory keeps them: rotating refresh tokens, a grace for the predecessor, theft ends the family. */
export function createFakeTokens(now: () => number) {
  let made = 0;
  const access = new Map<string, { readonly personId: string; readonly expiresMs: number; readonly family: number }>();
  const families = new Map<number, { personId: string; ended: boolean; generation: number; rotatedMs: number }>();
  const successors = new Map<string, ReturnType<typeof pair>>();

  function pair(family: number, personId: string, generation: number) {
    const serverTime = fake.serverNow();
    const accessToken = `access-${family}-${generation}-${++made}`;
    access.set(accessToken, { personId, expiresMs: serverTime + ACCESS_MS, family });
    return {
      accessToken,
      accessExpiresMs: BigInt(serverTime + ACCESS_MS),
      refreshToken: `refresh/${family}/${generation}`,
      refreshExpiresMs: BigInt(serverTime + REFRESH_MS),
      serverTimeMs: BigInt(serverTime),
    };
  }

  function begin(personId: string) {
    const family = families.size + 1;
    families.set(family, { personId, ended: false, generation: 0, rotatedMs: 0 });
    return pair(family, personId, 0);
  }

  const service: Partial<ServiceImpl<typeof AuthService>> = {
    signIn({ address, password }) {
      if (password !== 'correct horse') throw refusal('directory.sign_in_refused', Code.Unauthenticated);
      const id = address.split('@')[0] ?? '';
      return { tokens: begin(id), person: { id, displayName: id, primaryAddress: address } };
    },
    async refresh({ refreshToken }) {
      fake.refreshes++;
      await fake.onRefresh();
      const [, family, generation] = refreshToken.split('/');
      const found = families.get(Number(family));
      if (!found || found.ended) throw refusal('directory.refresh_invalid', Code.Unauthenticated);
      const inGrace = Number(generation) === found.generation - 1 && fake.serverNow() - found.rotatedMs <= GRACE_MS;
      if (inGrace) return { tokens: successors.get(refreshToken) as ReturnType<typeof pair> };
      if (Number(generation) !== found.generation) {
        found.ended = true;
        throw refusal('directory.refresh_reused', Code.Unauthenticated);
      }
      found.generation++;
      found.rotatedMs = fake.serverNow();
      const next = pair(Number(family), found.personId, found.generation);
      successors.set(refreshToken, next);
      await fake.onRefreshed();
      return { tokens: next };
    },
    signOut({ refreshToken, everywhere }) {
      fake.signedOut.push({ refreshToken, everywhere });
      const found = families.get(Number(refreshToken.split('/')[1]));
      if (found) found.ended = true;
      return {};
    },
    async changePassword({ currentPassword, newPassword }, context) {
      const personId = fake.check(context.requestHeader.get('authorization') ?? '');
      if (currentPassword !== 'correct horse') throw refusal('directory.password_wrong', Code.PermissionDenied);
      if (newPassword.length < 12) throw refusal('directory.password_short', Code.InvalidArgument);
      for (const family of families.values()) family.ended ||= family.personId === personId;
      access.clear();
      await fake.onChanged();
      return { tokens: begin(personId) };
    },
  };

  const fake = {
    service,
    /** How far the server's clock is from the client's. */
    skewMs: 0,
    refreshes: 0,
    signedOut: [] as { refreshToken: string; everywhere: boolean }[],
    /** Runs before a refresh; what it throws is the answer. */
    onRefresh: async (): Promise<void> => undefined,
    /** Runs after a refresh took effect: what it throws loses the answer. */
    onRefreshed: async (): Promise<void> => undefined,
    /** Runs between the end of the old sign-ins and the answer with the new one. */
    onChanged: async (): Promise<void> => undefined,
    serverNow: () => now() + fake.skewMs,
    /** The person of a bearer token, or a refusal. */
    check(header: string): string {
      const found = access.get(header.replace(/^Bearer /, ''));
      if (!found) throw refusal('rpc.unauthenticated', Code.Unauthenticated);
      if (found.expiresMs <= fake.serverNow()) throw refusal('rpc.token_expired', Code.Unauthenticated);
      return found.personId;
    },
    /** Makes every access token of now worthless, as a change of keys does. */
    revokeAccess: () => access.clear(),
    /** Ends every sign-in. */
    endAll() {
      for (const family of families.values()) family.ended = true;
      access.clear();
    },
  };
  return fake;
}
