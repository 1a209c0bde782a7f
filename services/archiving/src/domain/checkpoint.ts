import { type Chain, chainId, placeOf } from './place.ts';

/** A statement about a chain: it began at `first`, held everything below `next`, and the last link had this hash. */
export interface Checkpoint extends Chain {
  readonly first: number;
  readonly next: number;
  /** Lower-case hexadecimal. */
  readonly hash: string;
  readonly atMs: number;
}

export interface SignedCheckpoint extends Checkpoint {
  readonly keyId: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** The bytes that are signed: one fact a line, in this order. */
export function signedBytes(checkpoint: Checkpoint): Uint8Array {
  const { epoch, topic, partition, first, next, hash, atMs } = checkpoint;
  return Buffer.from(['parley.archive.checkpoint.1', epoch, topic, partition, first, next, hash, atMs].join('\n'));
}

/** Id of a checkpoint: its chain and how far it reaches. */
export const checkpointId = (checkpoint: Checkpoint): string => placeOf(chainId(checkpoint), checkpoint.next);

/** Whether both say the same of a chain, whenever and by whom they were signed: two replicas may state one thing each. */
export function sameStatement(a: Checkpoint, b: Checkpoint): boolean {
  return checkpointId(a) === checkpointId(b) && a.first === b.first && a.hash === b.hash;
}

/** Whether both are one and the same, signature and all. */
export function sameCheckpoint(a: SignedCheckpoint, b: SignedCheckpoint): boolean {
  return a.signature === b.signature && a.keyId === b.keyId && Buffer.compare(signedBytes(a), signedBytes(b)) === 0;
}
