export * from './authenticator.ts';
export * from './errors.ts';
export * from './key-ring.ts';
export { generateKeyPem, type KeyPem, type PublicJwk, publicKeyId, readPrivateKey, readPublicKey } from './keys.ts';
export * from './person-token-signer.ts';
export * from './person-token-verifier.ts';
export * from './roles.ts';
export {
  createServiceTokenSource,
  createServiceTokenVerifier,
  type ServicePublicKeys,
  type ServiceTokenSource,
  type ServiceTokenSourceOptions,
  type ServiceTokenVerifier,
  type ServiceTokenVerifierOptions,
} from './service-token.ts';
