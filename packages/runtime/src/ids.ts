import { randomBytes, randomUUID } from 'node:crypto';

/** Source of randomness and identifiers; injected so that tests can be repeated. */
export interface Ids {
  /** A random UUID (RFC 9562, version 4). */
  uuid(): string;
  /** An opaque id of 128 random bits, 22 characters of `[A-Za-z0-9_-]`. */
  opaque(): string;
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array;
  /** A number in [0, 1) for jitter; not for secrets. */
  fraction(): number;
}

/** Randomness of the operating system. */
export const systemIds: Ids = {
  uuid: () => randomUUID(),
  opaque: () => randomBytes(16).toString('base64url'),
  bytes: n => randomBytes(n),
  fraction: () => Math.random(),
};
