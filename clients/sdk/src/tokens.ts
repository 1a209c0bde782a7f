import type { Client } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import type { AuthService, TokenPair } from '@parley/contracts/directory/v1/auth';
import type { ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';

/** Tokens as they are kept. Times are by this machine's clock, already corrected for its error. */
export interface StoredTokens {
  readonly accessToken: string;
  readonly accessExpiresMs: number;
  /** When the access token was received. */
  readonly receivedMs: number;
  readonly refreshToken: string;
  readonly refreshExpiresMs: number;
  readonly personId: string;
}

/** Where tokens are kept. All who share one are one sign-in. */
export interface TokenStore {
  load(): Promise<StoredTokens | undefined>;
  save(tokens: StoredTokens): Promise<void>;
  clear(): Promise<void>;
}

/** Keeps tokens in memory: they end with the process. */
export function memoryTokenStore(): TokenStore {
  let tokens: StoredTokens | undefined;
  return {
    load: async () => tokens,
    save: async next => void (tokens = next),
    clear: async () => void (tokens = undefined),
  };
}

/** Keeps tokens in a Web Storage area (`localStorage` shares them among the tabs of one origin). */
export function webTokenStore(storage: Storage, key = 'parley.tokens'): TokenStore {
  return {
    load: async () => {
      const text = storage.getItem(key);
      return text === null ? undefined : (JSON.parse(text) as StoredTokens);
    },
    save: async tokens => storage.setItem(key, JSON.stringify(tokens)),
    clear: async () => storage.removeItem(key),
  };
}

/** Hands out access tokens that still work, refreshing them silently and one at a time. */
export interface Tokens {
  /** A token with enough life left; refreshes when there is not. Rejects with `client.signed_out` without a sign-in. */
  access(signal?: AbortSignal): Promise<string>;
  /** As `access`, but refreshes first if the store still holds `refused` (the server did not take it). */
  renewed(refused: string): Promise<string>;
  /** Milliseconds until the access token should be renewed; negative when overdue. */
  renewIn(): Promise<number>;
  /** Takes the tokens of a new sign-in. */
  accept(pair: TokenPair, personId: string): Promise<void>;
  /** Forgets the tokens and returns the refresh token they held. */
  forget(): Promise<string | undefined>;
  /** Who is signed in. */
  personId(): Promise<string | undefined>;
}

/** Renew when this share of the life is over. */
const RENEW_AT = 2 / 3;

/** See {@link Tokens}. */
export function createTokens(auth: Client<typeof AuthService>, store: TokenStore, env: ClientEnvironment): Tokens {
  const toStored = (pair: TokenPair, personId: string): StoredTokens => {
    const now = env.now();
    const skew = now - Number(pair.serverTimeMs); // a wrong local clock must not end the sign-in early
    return {
      accessToken: pair.accessToken,
      accessExpiresMs: Number(pair.accessExpiresMs) + skew,
      receivedMs: now,
      refreshToken: pair.refreshToken,
      refreshExpiresMs: Number(pair.refreshExpiresMs) + skew,
      personId,
    };
  };
  const renewAt = (t: StoredTokens) => t.receivedMs + (t.accessExpiresMs - t.receivedMs) * RENEW_AT;
  const signedOut = (cause?: unknown) =>
    new ParleyClientError('client.signed_out', Code.Unauthenticated, 'nobody is signed in', { cause });

  async function refresh(stillValid: (tokens: StoredTokens) => boolean): Promise<string> {
    return env.exclusive('refresh', async () => {
      const tokens = await store.load(); // another tab may have refreshed while we waited
      if (!tokens) throw signedOut();
      if (stillValid(tokens)) return tokens.accessToken;
      try {
        const { tokens: pair } = await auth.refresh({ refreshToken: tokens.refreshToken }, { timeoutMs: 15_000 });
        if (!pair) throw signedOut();
        const next = toStored(pair, tokens.personId);
        await store.save(next);
        return next.accessToken;
      } catch (error) {
        const failure = toClientError(error);
        if (failure instanceof ParleyClientError && !failure.retryable && failure.status === Code.Unauthenticated) {
          await store.clear();
          throw signedOut(failure);
        }
        if (env.now() < tokens.accessExpiresMs) return tokens.accessToken; // the old one still works meanwhile
        throw failure;
      }
    });
  }

  return {
    async access() {
      const tokens = await store.load();
      if (!tokens) throw signedOut();
      const fresh = (t: StoredTokens) => env.now() < renewAt(t);
      return fresh(tokens) ? tokens.accessToken : refresh(fresh);
    },
    renewed: refused => refresh(tokens => tokens.accessToken !== refused),
    async renewIn() {
      const tokens = await store.load();
      return tokens ? renewAt(tokens) - env.now() : Number.NEGATIVE_INFINITY;
    },
    accept: async (pair, personId) => store.save(toStored(pair, personId)),
    async forget() {
      const tokens = await store.load();
      await store.clear();
      return tokens?.refreshToken;
    },
    personId: async () => (await store.load())?.personId,
  };
}
