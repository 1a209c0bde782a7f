import type { KeyObject } from 'node:crypto';
import { rpcErrors } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import { jwtVerify, SignJWT } from 'jose';
import {
  audience,
  expiresMsOf,
  issuerOf,
  maxTokenBytes,
  refusalOf,
  serviceIssuerPrefix,
  serviceTokenType,
} from './claims.ts';
import { readPrivateKey, readPublicKey } from './keys.ts';
import { TokenCache } from './token-cache.ts';

/** Life of a service token and how long before its end a new one is made, milliseconds. */
const lifetimeMs = 60_000;
const renewMs = 20_000;

/** Gives a service its own tokens. */
export interface ServiceTokenSource {
  /** A token that is valid for at least 20 s more; at once except when a new one must be signed. */
  token(): string | Promise<string>;
}

/** Settings of {@link createServiceTokenSource}. */
export interface ServiceTokenSourceOptions {
  /** Name of the service, for example `im`. */
  readonly service: string;
  /** Its Ed25519 private key, PEM; a function is asked at every signing, so that the key can be replaced. */
  readonly privateKeyPem: string | (() => string);
  readonly clock: Clock;
}

/** Signs a token for 60 s and uses it for 40. */
export function createServiceTokenSource(options: ServiceTokenSourceOptions): ServiceTokenSource {
  const { service, clock, privateKeyPem } = options;
  let pem = typeof privateKeyPem === 'string' ? privateKeyPem : privateKeyPem();
  let key = readPrivateKey(pem);
  let current: string | undefined;
  let renewAt = Number.NEGATIVE_INFINITY;
  let signing: Promise<string> | undefined;

  function keyNow(): KeyObject {
    const next = typeof privateKeyPem === 'string' ? privateKeyPem : privateKeyPem();
    if (next !== pem) [pem, key] = [next, readPrivateKey(next)];
    return key;
  }

  async function sign(): Promise<string> {
    try {
      const started = clock.monotonic();
      const now = Math.floor(clock.now() / 1000);
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: 'EdDSA', typ: serviceTokenType })
        .setIssuer(serviceIssuerPrefix + service)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + lifetimeMs / 1000)
        .sign(keyNow());
      renewAt = started + lifetimeMs - renewMs;
      current = token;
      return token;
    } finally {
      signing = undefined;
    }
  }

  return {
    token() {
      if (current !== undefined && clock.monotonic() < renewAt) return current;
      signing ??= sign();
      return signing;
    },
  };
}

/** Verifies tokens of services. */
export interface ServiceTokenVerifier {
  /** Name of the service; at once when the token was verified before. Throws or rejects as the person's verifier does. */
  verify(token: string): string | Promise<string>;
}

/** Public keys (PEM) by name of the service. */
export type ServicePublicKeys = Readonly<Record<string, string | readonly string[]>>;

/** Settings of {@link createServiceTokenVerifier}. */
export interface ServiceTokenVerifierOptions {
  /**
   * Public keys (PEM) by name of the service; several while a key is being replaced. A function is asked whenever a token
   * is new; it returns the same object as long as nothing has changed.
   */
  readonly publicKeys: ServicePublicKeys | (() => ServicePublicKeys);
  readonly clock: Clock;
  /** How far the caller's clock may be off, milliseconds, default 5,000. */
  readonly clockToleranceMs?: number;
}

/** See {@link ServiceTokenVerifier}. */
export function createServiceTokenVerifier(options: ServiceTokenVerifierOptions): ServiceTokenVerifier {
  const { clock } = options;
  const toleranceMs = options.clockToleranceMs ?? 5000;
  const { publicKeys } = options;
  let read: ServicePublicKeys | undefined;
  let keys: ReadonlyMap<string, readonly KeyObject[]> = new Map();

  function keysNow(): typeof keys {
    const next = typeof publicKeys === 'function' ? publicKeys() : publicKeys;
    if (next !== read) {
      keys = new Map(Object.entries(next).map(([name, pems]) => [name, [pems].flat().map(readPublicKey)]));
      read = next;
    }
    return keys;
  }

  keysNow();
  const cache = new TokenCache<string>(2000);

  async function verifySlowly(token: string, cacheKey: string): Promise<string> {
    const name = serviceOf(issuerOf(token));
    let refusal: unknown = rpcErrors('rpc.unauthenticated');
    for (const key of keysNow().get(name ?? '') ?? []) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['EdDSA'],
          typ: serviceTokenType,
          issuer: `${serviceIssuerPrefix}${name}`,
          audience,
          currentDate: new Date(clock.now()),
          clockTolerance: toleranceMs / 1000,
          maxTokenAge: lifetimeMs / 1000,
          requiredClaims: ['iat', 'exp'],
        });
        cache.set(cacheKey, name as string, expiresMsOf(payload) + toleranceMs);
        return name as string;
      } catch (error) {
        refusal = refusalOf(error);
      }
    }
    throw refusal;
  }

  return {
    verify(token) {
      if (token.length > maxTokenBytes) throw rpcErrors('rpc.unauthenticated');
      const key = TokenCache.key(token);
      return cache.get(key, clock.now()) ?? verifySlowly(token, key);
    },
  };
}

/** Name of the service in an issuer; undefined when it is not one of a service. */
function serviceOf(issuer: string | undefined): string | undefined {
  return issuer?.startsWith(serviceIssuerPrefix) ? issuer.slice(serviceIssuerPrefix.length) : undefined;
}
