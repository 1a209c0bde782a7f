import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type RingKey, readPrivateKey, readPublicKey, type ServicePublicKeys } from '@parley/auth';
import type { Clock } from '@parley/runtime';
import { type KeyName, parseKeyName } from './key-names.ts';

export { createKeys } from './create-keys.ts';

/** What signs checkpoints of the archive, and what verifies them. */
export interface CheckpointKeys {
  readonly privatePem: string;
  /** Public keys that signed checkpoints, now or earlier: every `checkpoint….pub`. None is ever retired. */
  readonly publicPems: readonly string[];
}

/** A key in the directory. */
export interface KeyFile extends KeyName {
  /** Its public half, PEM. */
  readonly publicPem: string | undefined;
  /** Whether its private half is there. */
  readonly hasPrivate: boolean;
  /** Whether it is its turn to sign. */
  readonly signs: boolean;
}

/**
 * Key material of an installation, in one directory (mode 0700, files 0600). A family of keys has one that signs: the
 * one whose time came last. What the others signed stays valid for as long as their files are there.
 */
export interface Keys {
  readonly dir: string;
  /** Private keys that sign and verify access tokens. Only directory needs them. */
  personTokens(): readonly RingKey[];
  /** 256-bit key from which successors of refresh tokens are derived. Only directory needs it. */
  refreshKey(): Uint8Array;
  /** The private key a service signs its own tokens with. */
  servicePem(service: string): string;
  /** Public keys of all services, by name; the same object as long as nothing has changed. */
  servicePublicPems(): ServicePublicKeys;
  /** Only archiving needs them; the same object as long as nothing has changed. */
  checkpoint(): CheckpointKeys;
  /** Every key that signs or has signed, in the order of families and turns. */
  list(): readonly KeyFile[];
  /**
   * Looks at the files again, and at whose turn it is; returns whether anything changed. Throws, and goes on with what it
   * has, when a new file is no key or the last key of a family has gone.
   */
  refresh(): boolean;
  /** Calls `listener` after every change; returns a function that stops it. */
  onChange(listener: () => void): () => void;
}

/** Thrown when key material is missing; says which file and what makes it. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';
}

const NO_FILES: ReadonlyMap<string, string> = new Map();

/** Reads the keys in `dir` when they are asked for; what cannot be read counts as missing. */
export function openKeys(dir: string, clock: Clock): Keys {
  const listeners = new Set<() => void>();
  let seen = '';
  let state: State | undefined;

  function now(): State {
    state ??= stateOf(look(dir, NO_FILES), clock.now());
    return state;
  }

  const missing = (file: string) =>
    new MissingKeyError(`key file ${join(dir, file)} is missing; 'parley init' makes it`);

  return {
    dir,
    personTokens() {
      const { families, texts } = now();
      const own = (families.get('person-token') ?? []).filter(({ base }) => texts.has(`${base}.pem`));
      if (own.length === 0) throw missing('person-token-1.pem');
      return own.map(({ base, signsFromMs }) => ({ pem: texts.get(`${base}.pem`) as string, signsFromMs }));
    },
    refreshKey() {
      const path = join(dir, 'refresh.key');
      if (!existsSync(path)) throw missing('refresh.key');
      return readFileSync(path);
    },
    servicePem: service => now().signing.get(`service-${service}`)?.pem ?? fail(missing(`service-${service}.pem`)),
    servicePublicPems: () => now().services,
    checkpoint: () => now().checkpoint ?? fail(missing('checkpoint.pem')),
    list() {
      const { families, signing, texts } = now();
      return [...families.values()].flat().map(name => ({
        ...name,
        publicPem: texts.get(`${name.base}.pub`),
        hasPrivate: texts.has(`${name.base}.pem`),
        signs: signing.get(name.family)?.base === name.base,
      }));
    },
    refresh() {
      const before = now();
      const marks = marksOf(dir);
      const texts = marks === seen ? before.texts : look(dir, before.texts);
      const next = stateOf(texts, clock.now());
      for (const family of before.signing.keys())
        if (!next.signing.has(family)) throw missing(`${before.signing.get(family)?.base}.pem`);
      seen = marks;
      const turns = [...next.signing].some(([family, { base }]) => before.signing.get(family)?.base !== base);
      if (!turns && same(before.texts, texts)) return false;
      state = next;
      for (const tell of [...listeners]) tell();
      return true;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** What the files say at a moment. */
interface State {
  readonly texts: ReadonlyMap<string, string>;
  /** In the order of their turns. */
  readonly families: ReadonlyMap<string, readonly KeyName[]>;
  readonly signing: ReadonlyMap<string, { readonly base: string; readonly pem: string }>;
  readonly services: ServicePublicKeys;
  readonly checkpoint: CheckpointKeys | undefined;
}

function stateOf(texts: ReadonlyMap<string, string>, nowMs: number): State {
  const bases = new Set([...texts.keys()].map(file => file.replace(/\.(pem|pub)$/, '')));
  const names = [...bases].sort().flatMap(base => parseKeyName(base) ?? []);
  const families = new Map<string, KeyName[]>();
  for (const name of names) families.set(name.family, [...(families.get(name.family) ?? []), name]);
  const signing = new Map<string, { base: string; pem: string }>();
  const services: Record<string, string[]> = {};
  for (const [family, own] of families) {
    own.sort((a, b) => a.signsFromMs - b.signsFromMs);
    const turn = inTurn(
      own.filter(({ base }) => texts.has(`${base}.pem`)),
      nowMs,
    );
    if (turn) signing.set(family, { base: turn.base, pem: texts.get(`${turn.base}.pem`) as string });
    if (!family.startsWith('service-')) continue;
    // the newest first: it verifies most
    const pems = own.toReversed().flatMap(({ base }) => texts.get(`${base}.pub`) ?? []);
    if (pems.length > 0) services[family.slice('service-'.length)] = pems;
  }
  const privatePem = signing.get('checkpoint')?.pem;
  const publicPems = [...texts].filter(([file]) => /^checkpoint.*\.pub$/.test(file)).map(([, text]) => text);
  const checkpoint = privatePem === undefined ? undefined : { privatePem, publicPems };
  return { texts, families, signing, services, checkpoint };
}

/** Files of keys that sign, and public keys of checkpoints under any name. */
const FILE = /^(person-token-|checkpoint|service-)[a-z0-9-]*\.(pem|pub)$/;

const filesIn = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir).filter(name => FILE.test(name)) : []);

/** Changes whenever a file does. */
function marksOf(dir: string): string {
  return filesIn(dir)
    .map(name => {
      const stat = statSync(join(dir, name), { throwIfNoEntry: false });
      return `${name} ${stat?.ino} ${stat?.mtimeMs} ${stat?.size}`;
    })
    .join('\n');
}

/** The files' texts; one that differs from `before` must be a key, unless there was nothing before. */
function look(dir: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const name of filesIn(dir)) {
    const text = textOf(join(dir, name));
    if (text === undefined) continue;
    if (before.size > 0 && before.get(name) !== text) check(join(dir, name), text);
    texts.set(name, text);
  }
  return texts;
}

/** Undefined for what is not there any more or is meant for another user. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}

function check(path: string, text: string): void {
  try {
    if (path.endsWith('.pem')) readPrivateKey(text);
    else readPublicKey(text);
  } catch (cause) {
    throw new Error(`${path} is no key: ${(cause as Error).message}`, { cause });
  }
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a === b || (a.size === b.size && [...a].every(([name, text]) => b.get(name) === text));
}

function fail(error: Error): never {
  throw error;
}
