import type { KeyObject } from 'node:crypto';
import { type Clock, systemClock } from '@parley/runtime';
import { generateKeyPem, type PublicJwk, publicJwk, readPrivateKey, splitPems } from './keys.ts';

/** A key that signs. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** A JSON Web Key Set as it travels, and how long it may be kept. */
export interface KeySetAnswer {
  readonly jwksJson: string;
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/** Fetches the key set; rejects when it cannot be had. */
export type KeySetProvider = () => Promise<KeySetAnswer>;

/** The keys that sign person tokens. The first signs; all of them verify, so that unexpired tokens stay valid. */
export interface KeyRing {
  readonly active: SigningKey;
  /** Public halves of all keys, RFC 7517. */
  jwksJson(): string;
  /** For a verifier in the same process. */
  provider(): KeySetProvider;
  /** Makes `pem`, or a new key, the one that signs; the others go on verifying for `retainMs`. */
  rotate(pem?: string): SigningKey;
  /** All private keys, newest first, to be stored as one file. Secret. */
  privatePems(): string;
}

/** Settings of {@link createKeyRing}. */
export interface KeyRingOptions {
  /** Private keys, newest first; an entry may hold several PEM blocks. */
  readonly pems: readonly string[];
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long a key goes on verifying after another took its place, milliseconds, default 86,400,000; longer than any token lives. */
  readonly retainMs?: number;
  /** How long others may keep the key set, milliseconds, default 300,000. */
  readonly maxAgeMs?: number;
}

interface Entry extends SigningKey {
  readonly pem: string;
  readonly jwk: PublicJwk;
  /** By the monotonic clock; keys of `pems` stay until they are taken away. */
  readonly retiresAt: number;
}

/** Reads the keys; throws when there is none, one twice, or one that is not Ed25519. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const clock = options.clock ?? systemClock;
  const maxAgeMs = options.maxAgeMs ?? 300_000;
  const retainMs = options.retainMs ?? 86_400_000;
  let entries = options.pems.flatMap(text => {
    const pems = splitPems(text);
    if (pems.length === 0) throw new Error('a private key in PEM form (PKCS #8) is needed');
    return pems.map(entryOf);
  });
  if (entries.length === 0) throw new Error('a key ring needs a private key');
  if (new Set(entries.map(entry => entry.kid)).size !== entries.length) throw new Error('the same key is there twice');

  function jwksJson(): string {
    entries = entries.filter(entry => entry.retiresAt > clock.monotonic());
    return JSON.stringify({ keys: entries.map(entry => entry.jwk) });
  }

  return {
    get active() {
      return entries[0] as SigningKey;
    },
    jwksJson,
    provider: () => async () => ({ jwksJson: jwksJson(), maxAgeMs }),
    rotate(pem = generateKeyPem().privatePem) {
      const entry = entryOf(pem);
      const retiresAt = clock.monotonic() + retainMs;
      const others = entries.filter(old => old.kid !== entry.kid);
      entries = [entry, ...others.map(old => ({ ...old, retiresAt: Math.min(old.retiresAt, retiresAt) }))];
      return entry;
    },
    privatePems: () => entries.map(entry => entry.pem).join('\n'),
  };
}

function entryOf(pem: string): Entry {
  const privateKey = readPrivateKey(pem);
  const jwk = publicJwk(privateKey);
  const own = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { pem: own, privateKey, jwk, kid: jwk.kid, retiresAt: Number.POSITIVE_INFINITY };
}
