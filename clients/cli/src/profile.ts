import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClientEnvironment, CursorStore, StoredTokens, TokenStore } from '@parley/client';
import { UsageError } from './exit-codes.ts';
import { tryLock, withFileLock } from './file-lock.ts';

/** What a profile file holds. */
interface ProfileFile {
  readonly version: 1;
  readonly server?: string;
  readonly tokens?: StoredTokens;
}

/** A place for one sign-in: server and tokens, shared by all processes that name it. */
export interface Profile {
  readonly name: string;
  /** Path of its file. */
  readonly path: string;
  /** Server it belongs to. */
  server(): string | undefined;
  setServer(url: string): void;
  /** Tokens for the SDK. */
  readonly tokens: TokenStore;
  /** Place of the last synchronisation. */
  readonly cursors: CursorStore;
  /** Lets one process of this profile at a time refresh. */
  readonly exclusive: ClientEnvironment['exclusive'];
  /** Id of this device: the same for a terminal, unless another process uses it at this moment. */
  endpointId(): string;
}

/** A refresh takes at most two tries of 15 seconds. */
const LOCK_PATIENCE_MS = 45_000;

/** Opens a profile below `${XDG_CONFIG_HOME:-~/.config}/parley`. Nothing is written until there is something to keep. */
export function openProfile(name: string, env: Readonly<Record<string, string | undefined>>): Profile {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name))
    throw new UsageError(`"${name}" is no name for a profile`, 'Use letters, digits, dots, dashes and underscores.');
  const dir = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'parley');
  const path = join(dir, `${name}.json`);
  const cursorPath = join(dir, `${name}.cursor`);

  function prepareDirectory(): void {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
  }
  function write(file: string, text: string): void {
    prepareDirectory();
    const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(temporary, file);
  }
  function read(): ProfileFile {
    const text = readIfThere(path);
    if (text === undefined) return { version: 1 };
    try {
      const file = JSON.parse(text) as ProfileFile;
      if (file.version === 1) return file;
    } catch {
      // told below
    }
    throw new UsageError(`${path} is not a profile of this version`, 'Remove the file and sign in again.');
  }
  const save = (file: ProfileFile) => write(path, `${JSON.stringify(file, null, 2)}\n`);
  const exclusive: Profile['exclusive'] = (_, work) => {
    prepareDirectory();
    return withFileLock(join(dir, `${name}.lock`), LOCK_PATIENCE_MS, work);
  };

  return {
    name,
    path,
    server: () => read().server,
    setServer: url => save({ ...read(), server: url }),
    tokens: {
      sharedAs: path,
      load: async () => read().tokens,
      save: async tokens => save({ ...read(), tokens }),
      async clear() {
        const { tokens, ...rest } = read();
        if (tokens) save(rest);
      },
    },
    cursors: {
      load: async () => readIfThere(cursorPath),
      save: async cursor => write(cursorPath, cursor),
    },
    exclusive,
    endpointId() {
      const terminal = terminalName();
      if (terminal === undefined) return randomId();
      prepareDirectory();
      const id = `cli-${createHash('sha256').update(`${path}\n${terminal}`).digest('base64url').slice(0, 22)}`;
      const release = tryLock(join(dir, `${name}.${id}.lock`));
      if (!release) return randomId(); // a second process on this terminal is a second device
      process.once('exit', release);
      return id;
    },
  };
}

const randomId = () => `cli-${randomBytes(16).toString('base64url')}`;

/** The terminal this process runs on, and since when the machine runs; undefined when it runs on none. */
function terminalName(): string | undefined {
  if (!process.stdin.isTTY) return undefined;
  try {
    const boot = readIfThere('/proc/sys/kernel/random/boot_id') ?? '';
    return `${boot.trim()} ${readlinkSync('/proc/self/fd/0')}`;
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
