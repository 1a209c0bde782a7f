import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '@parley/runtime';
import { StoreError } from '@parley/store';
import type { ParleyConfig } from './config.ts';
import { MissingKeyError } from './keys.ts';
import { LISTENERS } from './listeners.ts';
import { SchemaError } from './schema.ts';

/** What Node and SQLite attach to what they throw. */
interface Failure extends Error {
  readonly code?: unknown;
  readonly errcode?: number;
  readonly path?: string;
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
  readonly syscall?: string;
}

/** An error whose message says all there is to say; the cause is for the log. */
export class Explained extends Error {
  override readonly name = 'Explained';
}

/** A refusal that only somebody can end: starting again is of no use. */
export class NeedsSomebody extends Explained {}

/** Exit codes of `parley`: 78 (EX_CONFIG of sysexits.h) when starting again is of no use, else 1. */
export function exitCodeOf(error: unknown): 1 | 78 {
  for (let one = error, depth = 0; one instanceof Error && depth < 6; one = one.cause, depth++)
    if ([ConfigError, MissingKeyError, SchemaError, NeedsSomebody].some(kind => one instanceof kind)) return 78;
  return 1;
}

/** What went wrong and what to do about it, for the person who typed the command. */
export function explain(error: unknown, config?: ParleyConfig): string {
  if (error instanceof Explained) return error.message;
  for (let one = error, depth = 0; one instanceof Error && depth < 6; one = one.cause, depth++) {
    const text = explainListening(one, config) ?? explainFile(one) ?? explainDatabase(one, error);
    if (text !== undefined) return text;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The gRPC library gives the text of the system's error only, with the port or, without one, the host alone. */
const LISTEN = /\blisten (EADDRINUSE|EADDRNOTAVAIL|EACCES|EPERM)\b.*? (\S+?)(?::(\d+))?\]?$/;
const RESOLVE = /Name resolution failed for target dns:(.+):\d+$/;

function explainListening(error: Failure, config: ParleyConfig | undefined): string | undefined {
  const unknown = error.syscall === 'getaddrinfo' ? error.hostname : RESOLVE.exec(error.message)?.[1];
  if (unknown !== undefined)
    return `the host name ${unknown} cannot be resolved; correct ${setting('host', unknown, config)}, or ask whoever runs the name service`;
  const [, code, said, digits] = LISTEN.exec(error.message) ?? [];
  if (code === undefined) return undefined;
  const port = error.port ?? Number(digits ?? 0);
  const host = error.address ?? said ?? '';
  if (code === 'EADDRINUSE')
    return `port ${port} of ${host} is taken by another program; stop that, or set ${setting('port', port, config)} to a free one`;
  if (code === 'EADDRNOTAVAIL')
    return `${host} is no address of this machine; correct ${setting('host', host, config)}`;
  return `this user may not listen on port ${port}; set ${setting('port', port, config)} to one above 1023, or give the process CAP_NET_BIND_SERVICE`;
}

/** The setting that has this value, and its variable. */
function setting(what: 'host' | 'port', value: string | number, config: ParleyConfig | undefined): string {
  const name = config && LISTENERS.find(one => config[one][what] === value);
  return name
    ? `${name}.${what} (PARLEY_${name.toUpperCase()}_${what.toUpperCase()})`
    : `the ${what} in the configuration`;
}

function explainFile({ code, path }: Failure): string | undefined {
  const what = path === undefined ? 'a file' : path;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no room left on the disk${path === undefined ? '' : ` of ${path}`}; free some, or move dataDir to another disk`;
    case 'EROFS':
      return `${what} lies on a file system that cannot be written to`;
    case 'EACCES':
    case 'EPERM':
      return `${what} may not be used by this user; run the command as the owner of the data directory, or change the owner`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `${what} is in the way: a directory is needed there`;
    default:
      return undefined;
  }
}

/** Primary result codes of SQLite. https://www.sqlite.org/rescode.html */
const SQLITE: Readonly<Record<number, string>> = {
  3: 'may not be used by this user; run the command as the owner of the data directory',
  8: 'may not be written by this user, or its disk is read-only',
  10: 'cannot be read or written: the disk reports errors; look at the system log, and restore a backup if it is broken',
  11: "is damaged; stop, keep the file, and restore a backup ('parley restore')",
  13: 'has no room left on its disk; free some and start again: nothing that was acknowledged is lost',
  14: 'cannot be opened; check the directory and its owner',
  26: "is no database; if it was one it is damaged: restore a backup ('parley restore')",
};

const IOERR = 10;
const FULL = 13;

function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < 1024 * 1024;
  } catch {
    return false;
  }
}

function explainDatabase(error: Failure, outer: unknown): string | undefined {
  if (error.errcode === undefined) return undefined;
  const file = outer instanceof StoreError ? /(\/\S+)/.exec(outer.message)?.[1] : undefined;
  const code = error.errcode & 0xff;
  // a full disk may also show as one that cannot be written
  const text = SQLITE[code === IOERR && file !== undefined && isFull(file) ? FULL : code];
  if (text === undefined) return undefined;
  return `the database ${file ?? ''} ${text}`.replace('  ', ' ');
}
