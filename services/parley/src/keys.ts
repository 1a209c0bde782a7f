import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateKeyPem } from '@parley/auth';
import type { Ids } from '@parley/runtime';

/** Key material of an installation, as `parley init` writes it into one directory (mode 0700, files 0600). */
export interface Keys {
  /** Private keys that sign and verify access tokens, newest first. Only directory needs them. */
  personTokenPems(): readonly string[];
  /** 256-bit key from which successors of refresh tokens are derived. Only directory needs it. */
  refreshKey(): Uint8Array;
  /** The private key a service signs its own tokens with. */
  servicePem(service: string): string;
  /** Public keys of all services, by name. */
  servicePublicPems(): Readonly<Record<string, string>>;
  /** Private key that signs archive checkpoints. Only archiving needs it. */
  checkpointPem(): string;
  /** Public keys that signed checkpoints, now or earlier: `checkpoint.pub` and every `checkpoint-….pub`. */
  checkpointPublicPems(): readonly string[];
}

/** Thrown when key material is missing; says which file and what makes it. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';
}

/** Reads keys from `dir`, each only when asked for, so that a process needs no more than its own. */
export function openKeys(dir: string): Keys {
  const read = (name: string): Buffer => {
    const path = join(dir, name);
    if (!existsSync(path)) throw new MissingKeyError(`key file ${path} is missing; 'parley init' makes it`);
    return readFileSync(path);
  };
  const named = (pattern: RegExp) => (existsSync(dir) ? readdirSync(dir).filter(name => pattern.test(name)) : []);
  return {
    personTokenPems() {
      const files = named(/^person-token-.*\.pem$/)
        .sort()
        .reverse();
      if (files.length === 0) read('person-token-1.pem');
      return files.map(name => read(name).toString('utf8'));
    },
    refreshKey: () => read('refresh.key'),
    servicePem: service => read(`service-${service}.pem`).toString('utf8'),
    servicePublicPems: () =>
      Object.fromEntries(
        named(/^service-.*\.pub$/).map(name => [
          name.slice('service-'.length, -'.pub'.length),
          read(name).toString('utf8'),
        ]),
      ),
    checkpointPem: () => read('checkpoint.pem').toString('utf8'),
    checkpointPublicPems: () => named(/^checkpoint[a-z0-9-]*\.pub$/).map(name => read(name).toString('utf8')),
  };
}

/** Writes what is missing and leaves what is there; returns the names of the files it wrote. */
export function createKeys(dir: string, services: readonly string[], ids: Ids): readonly string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const written: string[] = [];
  // whole or not at all: a run that was cut short leaves nothing that looks like a key
  const put = (name: string, content: string | Uint8Array): void => {
    const draft = join(dir, `${name}.draft`);
    const handle = openSync(draft, 'w', 0o600);
    writeFileSync(handle, content);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(draft, join(dir, name));
    written.push(name);
  };
  const missing = (name: string) => !existsSync(join(dir, name));
  const pair = (name: string): void => {
    if (!missing(`${name}.pem`)) return;
    const { privatePem, publicPem } = generateKeyPem();
    put(`${name}.pub`, publicPem);
    put(`${name}.pem`, privatePem);
  };
  pair('person-token-1');
  if (missing('refresh.key')) put('refresh.key', ids.bytes(32));
  for (const service of services) pair(`service-${service}`);
  pair('checkpoint');
  return written;
}
