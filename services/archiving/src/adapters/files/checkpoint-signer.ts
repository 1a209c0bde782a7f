import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { CheckpointSigner } from '../../ports/checkpoint-signer.ts';

/**
 * Signs with an Ed25519 private key (PKCS#8 PEM). `publicPems` are keys of earlier times, whose checkpoints are to
 * verify on. A key is named by the start of the SHA-256 of its public half, so that nobody has to hand out names.
 */
export function createCheckpointSigner(privatePem: string, publicPems: readonly string[] = []): CheckpointSigner {
  const privateKey = createPrivateKey(privatePem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('the key for checkpoints must be an Ed25519 key');
  const own = createPublicKey(privateKey);
  const keys = new Map([own, ...publicPems.map(pem => createPublicKey(pem))].map(key => [idOf(key), key]));
  return {
    keyId: idOf(own),
    publicPem: own.export({ type: 'spki', format: 'pem' }) as string,
    sign: bytes => sign(null, bytes, privateKey),
    verify(keyId, bytes, signature) {
      const key = keys.get(keyId);
      return key !== undefined && key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, signature);
    },
  };
}

const idOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
    .slice(0, 22);
