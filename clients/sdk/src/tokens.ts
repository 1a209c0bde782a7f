import type { Client } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import type { AuthService, TokenPair } from '@parley/contracts/directory/v1/auth';
import { unlessAborted } from './abort.ts';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, signedOut, toClientError } from './errors.ts';

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
  /**
   * Name under which everybody who shares these tokens runs `ClientEnvironment.exclusive`; default: one for each store
   * object, which is right for stores that nobody else can reach.
   */
  readonly sharedAs?: string;
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
    sharedAs: key,
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
  /** A token that works; refreshes when it has not much life left. Rejects with `client.signed_out` without a sign-in. */
  access(signal?: AbortSignal): Promise<string>;
  /** As `access`, but refreshes first if the store still holds `refused` (the server did not take it). */
  renewed(refused: string, signal?: AbortSignal): Promise<string>;
  /** Milliseconds until whoever holds this access token should get another; not positive when there is one, or should be. */
  renewIn(held: string): Promise<number>;
  /** Lets `obtain` exchange the tokens for those of another sign-in of the same person; nobody refreshes meanwhile. */
  replace(obtain: (accessToken: string) => Promise<TokenPair>): Promise<void>;
  /** Takes the tokens of a new sign-in. */
  accept(pair: TokenPair, personId: string): Promise<void>;
  /** Forgets the tokens and returns the refresh token they held. */
  forget(): Promise<string | undefined>;
  /** Who is signed in. */
  personId(): Promise<string | undefined>;
  /** From now on only tokens of this person are handed out; empty: of anybody. Another tab may sign somebody else in. */
  belongTo(personId: string): void;
}

/** Renew when this share of the life is over. */
const RENEW_AT = 2 / 3;
/** While the old token works, nobody waits longer than this for a new one, milliseconds. */
const PATIENCE_MS = 1_000;
/** While the old token works, a refresh that failed or takes long is not asked for again for this many milliseconds. */
const PAUSE_MS = 5_000;
/** Tries of one refresh: an answer that was lost is asked for again while the server still gives the same one. */
const TRIES = 2;

const names = new WeakMap<TokenStore, string>();
let named = 0;

function lockOf(store: TokenStore): string {
  if (store.sharedAs !== undefined) return `tokens:${store.sharedAs}`;
  if (!names.has(store)) names.set(store, `tokens:${++named}`);
  return names.get(store) as string;
}

/** See {@link Tokens}. */
export function createTokens(auth: Client<typeof AuthService>, store: TokenStore, env: ClientEnvironment): Tokens {
  const exclusive = <T>(work: () => Promise<T>) => env.exclusive(lockOf(store), work);
  const running = new Map<string, Promise<string>>();
  let pausedUntilMs = 0;
  let owner = '';

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
  const fresh = (t: StoredTokens) => env.now() < renewAt(t);
  const works = (t: StoredTokens) => env.now() < t.accessExpiresMs;

  async function exchange(refreshToken: string): Promise<TokenPair> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { tokens } = await auth.refresh({ refreshToken }, { timeoutMs: 15_000 });
        if (!tokens) throw new ParleyClientError('client.bad_answer', Code.Internal, 'the answer holds no tokens');
        return tokens;
      } catch (error) {
        const failure = toClientError(error);
        if (attempt >= TRIES || !(failure instanceof ParleyClientError) || failure.code !== 'client.network')
          throw failure;
        await env.sleep(backoff(env, attempt));
      }
    }
  }

  async function load(): Promise<StoredTokens> {
    const tokens = await store.load();
    if (!tokens || (owner !== '' && tokens.personId !== owner)) throw signedOut();
    return tokens;
  }

  /** One refresh, unless `enough` holds of what somebody else has stored meanwhile. */
  async function once(enough: (tokens: StoredTokens) => boolean, oldWillDo: boolean): Promise<string> {
    const tokens = await load();
    if (enough(tokens)) return tokens.accessToken;
    try {
      const next = toStored(await exchange(tokens.refreshToken), tokens.personId);
      await store.save(next);
      return next.accessToken;
    } catch (error) {
      if (error instanceof ParleyClientError && error.status === Code.Unauthenticated) {
        await store.clear();
        throw signedOut(error);
      }
      if (!oldWillDo || !works(tokens)) throw error;
      pausedUntilMs = env.now() + PAUSE_MS;
      return tokens.accessToken;
    }
  }

  /** Everybody who waits for the same thing waits for one refresh. */
  function refresh(why: string, enough: (tokens: StoredTokens) => boolean, oldWillDo: boolean): Promise<string> {
    const found = running.get(why);
    if (found) return found;
    const mine = exclusive(() => once(enough, oldWillDo)).finally(() => running.delete(why));
    running.set(why, mine);
    return mine;
  }

  async function access(signal?: AbortSignal): Promise<string> {
    const tokens = await load();
    if (fresh(tokens) || (works(tokens) && env.now() < pausedUntilMs)) return tokens.accessToken;
    const renewed = refresh('access', fresh, true);
    return unlessAborted(works(tokens) ? inTime(renewed, tokens) : renewed, signal);
  }

  /** The new token if it comes soon, else the old one: whoever has something to say need not wait for a slow server. */
  async function inTime(renewed: Promise<string>, tokens: StoredTokens): Promise<string> {
    const nap = new AbortController();
    const patience = env.sleep(PATIENCE_MS, nap.signal).then(
      () => {
        if (!works(tokens)) return renewed;
        pausedUntilMs = env.now() + PAUSE_MS;
        return tokens.accessToken;
      },
      () => renewed,
    );
    return Promise.race([renewed, patience]).finally(() => nap.abort());
  }

  return {
    access,
    async replace(obtain) {
      await exclusive(async () => {
        const accessToken = await once(fresh, true);
        const { personId } = await load();
        await store.save(toStored(await obtain(accessToken), personId));
      });
    },
    renewed: (refused, signal) =>
      unlessAborted(
        refresh(refused, tokens => tokens.accessToken !== refused, false),
        signal,
      ),
    async renewIn(held) {
      const tokens = await store.load();
      return tokens?.accessToken === held ? renewAt(tokens) - env.now() : 0;
    },
    accept: (pair, personId) => exclusive(() => store.save(toStored(pair, personId))),
    forget: () =>
      exclusive(async () => {
        const tokens = await store.load();
        await store.clear();
        return tokens?.refreshToken;
      }),
    personId: async () => (await store.load())?.personId,
    belongTo: personId => void (owner = personId),
  };
}
