/** Signs checkpoints and exports with an Ed25519 key that is kept outside the database. */
export interface CheckpointSigner {
  /** Names the key in use. */
  readonly keyId: string;
  /** Public half of the key in use (SPKI PEM). */
  readonly publicPem: string;
  sign(bytes: Uint8Array): Uint8Array;
  /** Whether `signature` is by the key of that id; false for a key nobody knows. */
  verify(keyId: string, bytes: Uint8Array, signature: Uint8Array): boolean;
}
