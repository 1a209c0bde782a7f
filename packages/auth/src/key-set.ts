import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '@parley/runtime';
import { authErrors } from './errors.ts';
import type { KeySetProvider } from './key-ring.ts';

/** Settings of {@link createKeySet}. */
export interface KeySetOptions {
  readonly provider: KeySetProvider;
  readonly clock: Clock;
  /** Least time between two fetches that unknown key ids or failures cause, milliseconds, default 5,000. */
  readonly refreshIntervalMs?: number;
}

/** Public keys by key id, fetched when needed. */
export interface KeySet {
  /**
   * The key; undefined when the key set does not have it. Fetches when the answer is older than its maximum age or the
   * id is unknown, at most once in `refreshIntervalMs`; a stale set goes on serving while the fetch fails. Rejects with
   * `auth.keys_unavailable` when there has never been a set.
   */
  find(kid: string): Promise<KeyObject | undefined>;
}

/** Keeps the keys of a provider. */
export function createKeySet(options: KeySetOptions): KeySet {
  const { provider, clock } = options;
  const intervalMs = options.refreshIntervalMs ?? 5000;
  let keys: Map<string, KeyObject> | undefined;
  let freshUntil = 0;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function fetch(): Promise<void> {
    triedAt = clock.monotonic();
    try {
      const answer = await provider();
      keys = readKeys(answer.jwksJson);
      freshUntil = clock.monotonic() + answer.maxAgeMs;
    } catch (error) {
      if (!keys) throw authErrors('auth.keys_unavailable', { cause: error, retryAfterMs: intervalMs });
    } finally {
      fetching = undefined;
    }
  }

  function refresh(): Promise<void> {
    if (!fetching && clock.monotonic() - triedAt < intervalMs) {
      if (keys) return Promise.resolve();
      return Promise.reject(authErrors('auth.keys_unavailable', { retryAfterMs: intervalMs }));
    }
    fetching ??= fetch();
    return fetching;
  }

  return {
    async find(kid) {
      if (!keys || clock.monotonic() >= freshUntil) await refresh();
      const found = keys?.get(kid);
      if (found) return found;
      await refresh();
      return keys?.get(kid);
    },
  };
}

/** The Ed25519 keys of a key set; others are passed over. */
function readKeys(json: string): Map<string, KeyObject> {
  const set = JSON.parse(json) as { keys: Record<string, unknown>[] };
  const found = new Map<string, KeyObject>();
  for (const jwk of set.keys) {
    if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.kid !== 'string') continue;
    found.set(jwk.kid, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x as string }, format: 'jwk' }));
  }
  return found;
}
