import type { RoleName } from '../domain/roles.ts';

export interface AccessTokens {
  issue(claims: AccessClaims): Promise<{ readonly token: string; readonly expiresMs: number }>;
  /** Public keys, RFC 7517. */
  keySetJson(): string;
}

export interface AccessClaims {
  readonly personId: string;
  readonly signInId: string;
  readonly roles: readonly RoleName[];
  readonly passwordChangeRequired: boolean;
}
