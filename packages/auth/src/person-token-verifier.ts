import type { Role } from '@parley/contracts';
import { type PersonPrincipal, rpcErrors } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import { type JWTPayload, jwtVerify } from 'jose';
import { audience, expiresMsOf, keyIdOf, maxTokenBytes, personTokenType, refusalOf } from './claims.ts';
import type { KeySetProvider } from './key-ring.ts';
import { createKeySet } from './key-set.ts';
import { TokenCache } from './token-cache.ts';

/** Verifies access tokens of people. */
export interface PersonTokenVerifier {
  /**
   * Whom the token stands for; at once when the token was verified before (about 2 us), otherwise a promise. Throws or
   * rejects `rpc.unauthenticated`, `rpc.token_expired`, `auth.keys_unavailable`.
   */
  verify(token: string): PersonPrincipal | Promise<PersonPrincipal>;
}

/** Settings of {@link createPersonTokenVerifier}. */
export interface PersonTokenVerifierOptions {
  /** `iss` the tokens must have. */
  readonly issuer: string;
  readonly keySet: KeySetProvider;
  readonly clock: Clock;
  /** How far the signer's clock may be off, milliseconds, default 5,000. */
  readonly clockToleranceMs?: number;
  /** Verified tokens remembered, default 50,000 (about 15 MB). */
  readonly cacheSize?: number;
  /** Least time between two fetches of the key set because of unknown key ids, milliseconds, default 5,000. */
  readonly refreshIntervalMs?: number;
}

/** See {@link PersonTokenVerifier}. */
export function createPersonTokenVerifier(options: PersonTokenVerifierOptions): PersonTokenVerifier {
  const { issuer, clock } = options;
  const toleranceMs = options.clockToleranceMs ?? 5000;
  const cache = new TokenCache<PersonPrincipal>(options.cacheSize ?? 50_000);
  const keys = createKeySet({ ...options, provider: options.keySet });

  async function verifySlowly(token: string, key: string): Promise<PersonPrincipal> {
    const kid = keyIdOf(token);
    const publicKey = kid === undefined ? undefined : await keys.find(kid);
    if (!publicKey) throw rpcErrors('rpc.unauthenticated');
    const payload = await check(token, publicKey);
    const person = personOfClaims(payload);
    cache.set(key, person, person.tokenExpiresMs + toleranceMs);
    return person;
  }

  async function check(token: string, publicKey: Parameters<typeof jwtVerify>[1]): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, publicKey as never, {
        algorithms: ['EdDSA'],
        typ: personTokenType,
        issuer,
        audience,
        currentDate: new Date(clock.now()),
        clockTolerance: toleranceMs / 1000,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
      });
      if ((payload.iat as number) * 1000 > clock.now() + toleranceMs) throw new Error('issued in the future');
      return payload;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  return {
    verify(token) {
      if (token.length > maxTokenBytes) throw rpcErrors('rpc.unauthenticated');
      const key = TokenCache.key(token);
      return cache.get(key, clock.now()) ?? verifySlowly(token, key);
    },
  };
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

function personOfClaims(payload: JWTPayload): PersonPrincipal {
  const { sub, sid, roles, pcr } = payload;
  const valid =
    typeof sub === 'string' &&
    idPattern.test(sub) &&
    typeof sid === 'string' &&
    sid.length >= 1 &&
    sid.length <= 128 &&
    Array.isArray(roles) &&
    roles.every(role => Number.isInteger(role));
  if (!valid) throw rpcErrors('rpc.unauthenticated');
  return Object.freeze({
    kind: 'person',
    id: sub,
    signInId: sid,
    roles: Object.freeze([...(roles as Role[])]),
    tokenExpiresMs: expiresMsOf(payload),
    passwordChangeRequired: pcr === true,
  });
}
