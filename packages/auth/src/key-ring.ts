import type { KeyObject } from 'node:crypto';
import { type Clock, systemClock } from '@parley/runtime';
import { type PublicJwk, publicJwk, readPrivateKey, splitPems } from './keys.ts';

/** A key that signs. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** A private key and when it is its turn to sign. */
export interface RingKey {
  /** PKCS #8; secret. Several blocks count as several keys. */
  readonly pem: string;
  /** From when on it signs, milliseconds since 1970-01-01 UTC; default: it always could. */
  readonly signsFromMs?: number;
}

/** A JSON Web Key Set as it travels, and how long it may be kept. */
export interface KeySetAnswer {
  readonly jwksJson: string;
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/** Fetches the key set; rejects when it cannot be had. */
export type KeySetProvider = () => Promise<KeySetAnswer>;

/**
 * The keys that sign person tokens. All of them verify: those whose turn is over, so that unexpired tokens stay valid,
 * and those whose turn is still to come, so that everybody knows a key before it signs.
 */
export interface KeyRing {
  /** The key whose turn began last; before the first turn, the one whose turn comes first. */
  readonly active: SigningKey;
  /** Public halves of all keys, RFC 7517. */
  jwksJson(): string;
  /** For a verifier in the same process. */
  provider(): KeySetProvider;
  /** Has these keys from now on. Throws as {@link createKeyRing} does, and then keeps those it has. */
  replace(keys: readonly (string | RingKey)[]): void;
}

/** Settings of {@link createKeyRing}. */
export interface KeyRingOptions {
  /** Private keys, the preferred one first when several have the same turn. */
  readonly pems: readonly (string | RingKey)[];
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long others may keep the key set, milliseconds, default 300,000. */
  readonly maxAgeMs?: number;
}

interface Entry extends SigningKey {
  readonly jwk: PublicJwk;
  readonly signsFromMs: number;
}

/** Reads the keys; throws when there is none, one twice, or one that is not Ed25519. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const clock = options.clock ?? systemClock;
  const maxAgeMs = options.maxAgeMs ?? 300_000;
  let entries = entriesOf(options.pems);

  const jwksJson = () => JSON.stringify({ keys: entries.map(entry => entry.jwk) });

  return {
    get active() {
      return inTurn(entries, clock.now()) as SigningKey;
    },
    jwksJson,
    provider: () => async () => ({ jwksJson: jwksJson(), maxAgeMs }),
    replace(keys) {
      entries = entriesOf(keys);
    },
  };
}

/** The one whose turn began last; before the first turn, the one whose turn comes first. Undefined when there is none. */
export function inTurn<T extends { readonly signsFromMs: number }>(keys: readonly T[], nowMs: number): T | undefined {
  let found: T | undefined;
  for (const key of keys) {
    if (key.signsFromMs <= nowMs && (found === undefined || key.signsFromMs > found.signsFromMs)) found = key;
  }
  if (found) return found;
  return keys.reduce<T | undefined>(
    (first, key) => (first && first.signsFromMs <= key.signsFromMs ? first : key),
    found,
  );
}

function entriesOf(keys: readonly (string | RingKey)[]): readonly Entry[] {
  const entries = keys.flatMap(key => {
    const { pem, signsFromMs = Number.NEGATIVE_INFINITY } = typeof key === 'string' ? { pem: key } : key;
    const pems = splitPems(pem);
    if (pems.length === 0) throw new Error('a private key in PEM form (PKCS #8) is needed');
    return pems.map(one => entryOf(one, signsFromMs));
  });
  if (entries.length === 0) throw new Error('a key ring needs a private key');
  if (new Set(entries.map(entry => entry.kid)).size !== entries.length) throw new Error('the same key is there twice');
  return entries;
}

function entryOf(pem: string, signsFromMs: number): Entry {
  const privateKey = readPrivateKey(pem);
  const jwk = publicJwk(privateKey);
  return { privateKey, jwk, kid: jwk.kid, signsFromMs };
}
