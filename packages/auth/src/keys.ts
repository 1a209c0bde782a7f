import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** An Ed25519 key pair as text. */
export interface KeyPem {
  /** PKCS #8; secret. */
  readonly privatePem: string;
  /** SubjectPublicKeyInfo. */
  readonly publicPem: string;
  readonly kid: string;
}

/** Public half of an Ed25519 key as JSON Web Key (RFC 8037). */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/** Makes a new Ed25519 key. */
export function generateKeyPem(): KeyPem {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    kid: publicJwk(publicKey).kid,
  };
}

/** Reads an Ed25519 private key; the error does not quote what was given. */
export function readPrivateKey(pem: string): KeyObject {
  return ed25519(() => createPrivateKey(pem), 'private');
}

/** Reads an Ed25519 public key. */
export function readPublicKey(pem: string): KeyObject {
  return ed25519(() => {
    if (pem.includes('PRIVATE KEY')) throw new Error();
    return createPublicKey(pem);
  }, 'public');
}

function ed25519(read: () => KeyObject, kind: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // What the parser says may quote the key.
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new Error(`an Ed25519 ${kind} key in PEM form is needed`);
  return key;
}

/** The public half as JWK; `kid` is its thumbprint (RFC 7638). */
export function publicJwk(key: KeyObject): PublicJwk {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x: x as string, kid: thumbprint, alg: 'EdDSA', use: 'sig' };
}

/** The `kid` of a key by its public half, PEM. */
export const publicKeyId = (publicPem: string): string => publicJwk(readPublicKey(publicPem)).kid;

/** Every PEM block of a private key in a text, in order. */
export function splitPems(text: string): string[] {
  return text.match(/-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/g) ?? [];
}
