import { hash } from 'node:crypto';

/** How a record stands in the archive, by the numbers of the contract. */
export const ARCHIVED = 1;
export const DUPLICATE = 2;
export const CONFLICT = 3;
export const NOT_ACCEPTED = 4;
export const PARKED = 5;

/** One link of a chain. */
export interface Link {
  readonly place: string;
  readonly recordId: string;
  readonly state: number;
  /** The content it was made for, or of which it is a repetition. */
  readonly contentId: string;
  readonly rawHash: Uint8Array;
  readonly hash: Uint8Array;
}

const HASH_BYTES = 32;

export const rawHashOf = (raw: Uint8Array): Uint8Array => hash('sha256', raw, 'buffer');

/** What the first link of a chain follows from. */
export const genesisOf = (chain: string): Uint8Array => hash('sha256', `parley.archive.genesis.1\n${chain}`, 'buffer');

/** SHA-256 of: hash of the link before, SHA-256 of the raw bytes, state (one byte), record id (UTF-8). */
export function linkHash(previous: Uint8Array, rawHash: Uint8Array, state: number, recordId: string): Uint8Array {
  const size = Buffer.byteLength(recordId);
  const input = Buffer.allocUnsafe(HASH_BYTES * 2 + 1 + size);
  input.set(previous, 0);
  input.set(rawHash, HASH_BYTES);
  input[HASH_BYTES * 2] = state;
  input.write(recordId, HASH_BYTES * 2 + 1);
  return hash('sha256', input, 'buffer');
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Whether a link's content is its own, so that its bytes must be there and must be the ones that were logged. */
export const ownsContent = (state: number): boolean => state !== DUPLICATE;
