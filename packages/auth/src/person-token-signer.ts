import type { Role } from '@parley/contracts';
import type { Clock } from '@parley/runtime';
import { SignJWT } from 'jose';
import { audience, personTokenType } from './claims.ts';
import type { KeyRing } from './key-ring.ts';

/** What a person token says. */
export interface PersonTokenInput {
  readonly personId: string;
  readonly signInId: string;
  readonly roles: readonly Role[];
  readonly passwordChangeRequired: boolean;
}

/** A signed token and its end. */
export interface SignedToken {
  readonly token: string;
  /** Milliseconds since 1970-01-01 UTC; a whole second. */
  readonly expiresMs: number;
}

/** Signs access tokens of people. */
export interface PersonTokenSigner {
  sign(input: PersonTokenInput): Promise<SignedToken>;
}

/** Settings of {@link createPersonTokenSigner}. */
export interface PersonTokenSignerOptions {
  /** `iss` of the tokens, for example `https://chat.example`. */
  readonly issuer: string;
  readonly clock: Clock;
  /** How long a token is valid, milliseconds, at least 1,000. */
  readonly lifetimeMs: number;
}

/** Signs with the ring's active key. */
export function createPersonTokenSigner(ring: KeyRing, options: PersonTokenSignerOptions): PersonTokenSigner {
  const { issuer, clock, lifetimeMs } = options;
  if (!(lifetimeMs >= 1000)) throw new Error('tokens must be valid for at least one second');
  return {
    async sign(input) {
      const now = clock.now();
      const issued = Math.floor(now / 1000);
      const expires = Math.floor((now + lifetimeMs) / 1000);
      const { active } = ring;
      const token = await new SignJWT({
        sid: input.signInId,
        roles: [...input.roles],
        ...(input.passwordChangeRequired ? { pcr: true } : {}),
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: personTokenType, kid: active.kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(input.personId)
        .setIssuedAt(issued)
        .setExpirationTime(expires)
        .sign(active.privateKey);
      return { token, expiresMs: expires * 1000 };
    },
  };
}
