import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateKeyPem } from '@parley/auth';
import type { Ids } from '@parley/runtime';
import { type KeyName, keyNameOf, parseKeyName } from './key-names.ts';
import type { KeyFile } from './keys.ts';

/** Writes what is missing and leaves what is there; returns the names of the files it wrote. */
export function createKeys(dir: string, services: readonly string[], ids: Ids): readonly string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const there = new Set(
    readdirSync(dir)
      .filter(name => name.endsWith('.pem'))
      .flatMap(familyOf),
  );
  const written: string[] = [];
  const pair = (family: string, base: string): void => {
    if (!there.has(family)) written.push(...putPair(dir, base));
  };
  pair('person-token', 'person-token-1');
  if (!existsSync(join(dir, 'refresh.key'))) written.push(put(dir, 'refresh.key', ids.bytes(32)));
  for (const service of services) pair(`service-${service}`, `service-${service}`);
  pair('checkpoint', 'checkpoint');
  return written;
}

const familyOf = (file: string) => parseKeyName(file.slice(0, -'.pem'.length))?.family ?? [];

/** Writes a key that begins to sign at a time; the public half comes first, so that it is known wherever the other is. */
export function createSuccessor(dir: string, family: string, signsFromMs: number): KeyName {
  const name = keyNameOf(family, signsFromMs);
  putPair(dir, name.base);
  return name;
}

function putPair(dir: string, base: string): readonly string[] {
  const { privatePem, publicPem } = generateKeyPem();
  return [put(dir, `${base}.pub`, publicPem), put(dir, `${base}.pem`, privatePem)];
}

/** Whole or not at all: a run that was cut short leaves nothing that looks like a key. Belongs to whom the directory does. */
function put(dir: string, name: string, content: string | Uint8Array): string {
  const draft = join(dir, `${name}.draft`);
  const handle = openSync(draft, 'w', 0o600);
  writeFileSync(handle, content);
  fsyncSync(handle);
  closeSync(handle);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dir);
    chownSync(draft, uid, gid);
  }
  renameSync(draft, join(dir, name));
  return name;
}

/** How long after a key has lost its turn there may still be something valid that it signed, milliseconds, by family. */
export type Aftermath = (family: string) => number;

/** Files that nobody needs any more: of keys whose turn has been over for long enough. */
export function retirable(keys: readonly KeyFile[], nowMs: number, aftermath: Aftermath): readonly string[] {
  return keys.flatMap(({ family, base, signsFromMs, hasPrivate, publicPem }) => {
    const turn = keys.find(key => key.family === family && key.signs);
    if (!turn || signsFromMs >= turn.signsFromMs || nowMs - turn.signsFromMs < aftermath(family)) return [];
    // what checkpoint keys signed is verified for ever
    const isPublicNeeded = family === 'checkpoint';
    return [
      ...(hasPrivate ? [`${base}.pem`] : []),
      ...(publicPem !== undefined && !isPublicNeeded ? [`${base}.pub`] : []),
    ];
  });
}

/** Removes key files; private halves first. */
export function removeKeyFiles(dir: string, files: readonly string[]): void {
  for (const file of files) unlinkSync(join(dir, file));
}
