import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { CheckpointSigner } from '../../ports/checkpoint-signer.ts';

/** Keys of checkpoints, PEM. */
export interface CheckpointPems {
  /** PKCS #8 of the key that signs now. */
  readonly privatePem: string;
  /** Keys that signed earlier, whose checkpoints are to verify on. */
  readonly publicPems: readonly string[];
}

/**
 * Signs with an Ed25519 key. A function is asked whenever keys are needed, so that a key can be replaced, and returns the
 * same object as long as nothing has changed. A key is named by the start of the SHA-256 of its public half, so that
 * nobody has to hand out names.
 */
export function createCheckpointSigner(
  pems: string | (() => CheckpointPems),
  publicPems: readonly string[] = [],
): CheckpointSigner {
  const source = typeof pems === 'function' ? pems : always({ privatePem: pems, publicPems });
  let read = source();
  let keys = keysOf(read);

  function now() {
    const next = source();
    if (next !== read) {
      keys = keysOf(next);
      read = next;
    }
    return keys;
  }

  return {
    get keyId() {
      return now().keyId;
    },
    get publicPem() {
      return now().publicPem;
    },
    sign: bytes => sign(null, bytes, now().privateKey),
    verify(keyId, bytes, signature) {
      const key = now().known.get(keyId);
      return key !== undefined && key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, signature);
    },
  };
}

const always =
  <T>(value: T) =>
  () =>
    value;

function keysOf({ privatePem, publicPems }: CheckpointPems) {
  const privateKey = createPrivateKey(privatePem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('the key for checkpoints must be an Ed25519 key');
  const own = createPublicKey(privateKey);
  const known = new Map([own, ...publicPems.map(pem => createPublicKey(pem))].map(key => [idOf(key), key]));
  return { privateKey, known, keyId: idOf(own), publicPem: own.export({ type: 'spki', format: 'pem' }) as string };
}

/** The name of the key that has this public half. */
export const checkpointKeyId = (publicPem: string): string => idOf(createPublicKey(publicPem));

const idOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
    .slice(0, 22);
