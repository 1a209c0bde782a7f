import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const secretBytes = 32;
const tagBytes = 16;
const form = /^prt1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{64})$/;

/** A refresh token taken apart: `prt1.<sign-in>.<secret and tag>`. Only a hash of the secret is stored. */
export interface RefreshToken {
  readonly signInId: string;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
}

/** The tag tells a token that was once given out from an invention, so that only the former can end a sign-in. */
export function formatRefreshToken(key: Uint8Array, signInId: string, secret: Uint8Array): string {
  const tag = tagOf(key, signInId, secret);
  return `prt1.${signInId}.${Buffer.concat([secret, tag]).toString('base64url')}`;
}

export function parseRefreshToken(text: string): RefreshToken | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const bytes = Buffer.from(match[2] as string, 'base64url');
  return {
    signInId: match[1] as string,
    secret: bytes.subarray(0, secretBytes),
    tag: bytes.subarray(secretBytes, secretBytes + tagBytes),
  };
}

export function isGenuine(key: Uint8Array, token: RefreshToken): boolean {
  return timingSafeEqual(tagOf(key, token.signInId, token.secret), token.tag);
}

/** The same for everybody who presents the same secret, and to be had only by who presents it. */
export function successorOf(key: Uint8Array, token: Pick<RefreshToken, 'signInId' | 'secret'>): Uint8Array {
  return mac(key, 'parley refresh successor', token.signInId, token.secret);
}

export function hashSecret(secret: Uint8Array): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function tagOf(key: Uint8Array, signInId: string, secret: Uint8Array): Uint8Array {
  return mac(key, 'parley refresh tag', signInId, secret).subarray(0, tagBytes);
}

function mac(key: Uint8Array, purpose: string, signInId: string, secret: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${purpose}\0${signInId}\0`).update(secret).digest();
}
