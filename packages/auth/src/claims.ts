import { rpcErrors } from '@parley/rpc';
import { errors, type JWTPayload } from 'jose';

/** `aud` of every token of ours. */
export const audience = 'parley';

/** `typ` of person tokens (RFC 9068) and of service tokens, so that neither can pass for the other. */
export const personTokenType = 'at+jwt';
export const serviceTokenType = 'parley-service+jwt';

/** `iss` of a service's tokens is this and its name. */
export const serviceIssuerPrefix = 'service:';

/** Longer tokens are refused unread, bytes. */
export const maxTokenBytes = 8192;

/**
 * How every service token begins: its protected header. Only chooses who verifies; the verifiers check the header
 * itself, so that a wrong guess lets nobody in.
 */
export const serviceTokenStart = `${Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: serviceTokenType })).toString('base64url')}.`;

/** `kid` of a token's header, unverified; throws `rpc.unauthenticated` for what is no token. */
export function keyIdOf(token: string): string | undefined {
  const { kid } = part(token, 0);
  return typeof kid === 'string' ? kid : undefined;
}

/** `iss` of a token, unverified; throws `rpc.unauthenticated` for what is no token. */
export function issuerOf(token: string): string | undefined {
  const { iss } = part(token, 1);
  return typeof iss === 'string' ? iss : undefined;
}

function part(token: string, index: number): Record<string, unknown> {
  return parse(token.split('.', 3)[index] ?? '');
}

function parse(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Not JSON: refused below.
  }
  throw rpcErrors('rpc.unauthenticated');
}

/** End of a verified token, milliseconds since 1970-01-01 UTC. */
export function expiresMsOf(payload: JWTPayload): number {
  return (payload.exp as number) * 1000;
}

/** What went wrong when a token was verified, as the caller may know it: expired, or not valid. */
export function refusalOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return rpcErrors('rpc.token_expired');
  return rpcErrors('rpc.unauthenticated', { cause: error });
}
