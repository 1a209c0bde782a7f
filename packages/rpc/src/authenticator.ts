import type { Principal } from './context.ts';

/** Decides who calls. `@parley/auth` implements it. */
export interface Authenticator {
  /**
   * `bearer` is the token of the `authorization` header, `personToken` the one a service forwards for a person
   * (`x-parley-person-token`). Answers at once when it can (warm cache), so that a call needs no extra turn. Without
   * tokens the answer is anonymous. Throws or rejects `rpc.unauthenticated`, `rpc.token_expired`, or something of kind
   * `unavailable` when the keys cannot be had.
   */
  authenticate(bearer: string | undefined, personToken: string | undefined): Principal | Promise<Principal>;
}

/** Token of an `authorization` header; undefined when there is none or of another scheme. RFC 6750 */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length < 8) return undefined;
  if (header.startsWith('Bearer ')) return header.slice(7);
  return header.slice(0, 7).toLowerCase() === 'bearer ' ? header.slice(7).trim() : undefined;
}
