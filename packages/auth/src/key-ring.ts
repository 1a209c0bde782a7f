import type { KeyObject } from 'node:crypto';
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
  /** Makes `pem`, or a new key, the one that signs; keeps at most `keep` older ones (default 4) for verifying. */
  rotate(pem?: string, keep?: number): SigningKey;
  /** All private keys, newest first, to be stored as one file. Secret. */
  privatePems(): string;
}

/** Settings of {@link createKeyRing}. */
export interface KeyRingOptions {
  /** Private keys, newest first; an entry may hold several PEM blocks. */
  readonly pems: readonly string[];
  /** How long others may keep the key set, milliseconds, default 300,000. */
  readonly maxAgeMs?: number;
}

interface Entry extends SigningKey {
  readonly pem: string;
  readonly jwk: PublicJwk;
}

/** Reads the keys; throws when there is none, one twice, or one that is not Ed25519. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const maxAgeMs = options.maxAgeMs ?? 300_000;
  let entries = options.pems.flatMap(text => {
    const pems = splitPems(text);
    if (pems.length === 0) throw new Error('a private key in PEM form (PKCS #8) is needed');
    return pems.map(entryOf);
  });
  if (entries.length === 0) throw new Error('a key ring needs a private key');
  if (new Set(entries.map(entry => entry.kid)).size !== entries.length) throw new Error('the same key is there twice');
  let json = serialise();

  function serialise(): string {
    return JSON.stringify({ keys: entries.map(entry => entry.jwk) });
  }

  return {
    get active() {
      return entries[0] as SigningKey;
    },
    jwksJson: () => json,
    provider: () => async () => ({ jwksJson: json, maxAgeMs }),
    rotate(pem = generateKeyPem().privatePem, keep = 4) {
      const entry = entryOf(pem);
      entries = [entry, ...entries.filter(old => old.kid !== entry.kid)].slice(0, 1 + keep);
      json = serialise();
      return entry;
    },
    privatePems: () => entries.map(entry => entry.pem).join('\n'),
  };
}

function entryOf(pem: string): Entry {
  const privateKey = readPrivateKey(pem);
  const jwk = publicJwk(privateKey);
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, privateKey, jwk, kid: jwk.kid };
}
