import { readFileSync } from 'node:fs';
import {
  type Auth,
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import type { Logger } from '@parley/runtime';
import type { NatsCredentials } from './options.ts';

/**
 * Authenticator for the credentials; undefined without any. Throws when a file cannot be read now; later, a file that
 * is missing or broken (in the middle of a rotation) leaves the last good proof in use.
 */
export function createAuthenticator(
  credentials: NatsCredentials,
  logger: Logger | undefined,
): Authenticator | undefined {
  const make = select(credentials);
  if (make === undefined) return undefined;
  let current = make();
  return nonce => {
    try {
      const next = make();
      const proof: Auth = next(nonce);
      current = next;
      return proof;
    } catch (err) {
      logger?.error('bus.credentials.unreadable', { err });
      return current(nonce);
    }
  };
}

function select(c: NatsCredentials): (() => Authenticator) | undefined {
  const kinds = [c.credentialsFile, c.nkeySeedFile, c.tokenFile, c.user].filter(kind => kind !== undefined);
  if (kinds.length > 1) throw new RangeError('more than one kind of NATS credentials is configured');
  if (c.passwordFile !== undefined && c.user === undefined) throw new RangeError('passwordFile needs user');
  const { credentialsFile, nkeySeedFile, tokenFile, user, passwordFile } = c;
  if (credentialsFile !== undefined) return () => credsAuthenticator(readFileSync(credentialsFile));
  if (nkeySeedFile !== undefined) return () => nkeyAuthenticator(Buffer.from(secret(nkeySeedFile)));
  if (tokenFile !== undefined) return () => tokenAuthenticator(secret(tokenFile));
  if (user === undefined) return undefined;
  return () => usernamePasswordAuthenticator(user, passwordFile === undefined ? undefined : secret(passwordFile));
}

function secret(file: string): string {
  return readFileSync(file, 'utf8').trim();
}
