/** A user's key at NATS: the seed is secret, the public key goes into the server's configuration. */
export interface Nkey {
  /** `SU…` */
  readonly seed: string;
  /** `U…` */
  readonly publicKey: string;
}

/** Makes a new user key; with `seed`, the one it belongs to. Throws for what is no seed of a user, without quoting it. */
export async function nkeyOf(seed?: string): Promise<Nkey> {
  // Not before it is needed: the standalone edition never loads the library.
  const { nkeys } = await import('@nats-io/transport-node');
  let publicKey: string;
  let pair: ReturnType<typeof nkeys.createUser>;
  try {
    pair = seed === undefined ? nkeys.createUser() : nkeys.fromSeed(Buffer.from(seed.trim()));
    publicKey = pair.getPublicKey();
  } catch {
    throw new Error('a seed of a NATS user (SU…) is needed');
  }
  if (!publicKey.startsWith('U')) throw new Error('a seed of a NATS user (SU…) is needed');
  return { seed: Buffer.from(pair.getSeed()).toString(), publicKey };
}
