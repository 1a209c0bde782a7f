import { createHash, type Hash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type ListedFile, MANIFEST } from './manifest.ts';

const CHUNK = 1024 * 1024;

/** A file being written: hashed on its way, synced when it ends. */
export interface GrowingFile {
  readonly bytes: number;
  write(data: Uint8Array | string): void;
  end(): ListedFile;
}

/** A folder that is there as a whole or not at all: it grows as `<target>.partial` and is renamed when complete. */
export interface NewFolder {
  /** Where files are written until then. */
  readonly dir: string;
  /** Begins a file below the folder, mode 0600. */
  begin(path: string): GrowingFile;
  write(path: string, content: Uint8Array | string): ListedFile;
  /** Copies a file from elsewhere. */
  copy(path: string, source: string): ListedFile;
  /** Takes in a file that somebody else wrote to its place in `dir`. */
  adopt(path: string, progress?: (bytes: number) => void): Promise<ListedFile>;
  /** Writes the manifest with the list of files, syncs and renames. Returns the manifest's SHA-256. */
  finish(manifest: Readonly<Record<string, unknown>>): string;
  /** Removes what there is of it. */
  abandon(): void;
}

/** Begins a folder; refuses a target that exists. */
export function beginFolder(target: string, what: string): NewFolder {
  const final = resolve(target);
  const dir = `${final}.partial`;
  if (existsSync(final)) throw new Error(`${final} exists; name a new directory`);
  if (existsSync(dir))
    throw new Error(`${dir} exists: ${what} is under way there or was cut off; remove it or name another directory`);
  mkdirSync(dirname(final), { recursive: true, mode: 0o700 });
  mkdirSync(dir, { mode: 0o700 });
  const files: ListedFile[] = [];

  const placeOf = (path: string): string => {
    const place = join(dir, path);
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
    return place;
  };
  const listed = (file: ListedFile): ListedFile => {
    files.push(file);
    return file;
  };
  const begin = (path: string): GrowingFile => growingFile(placeOf(path), path, listed);
  const folder: NewFolder = {
    dir,
    begin,
    write(path, content) {
      const file = begin(path);
      file.write(content);
      return file.end();
    },
    copy(path, source) {
      const file = begin(path);
      eachChunk(source, chunk => file.write(chunk));
      return file.end();
    },
    async adopt(path, progress) {
      const place = join(dir, path);
      chmodSync(place, 0o600);
      syncPath(place);
      return listed({ path, ...(await hashOfFile(place, progress)) });
    },
    finish(manifest) {
      files.sort((a, b) => (a.path < b.path ? -1 : 1));
      const text = `${JSON.stringify({ ...manifest, files }, null, 2)}\n`;
      const file = growingFile(join(dir, MANIFEST), MANIFEST);
      file.write(text);
      const { sha256 } = file.end();
      for (const path of new Set(files.map(f => dirname(f.path)))) syncPath(join(dir, path));
      syncPath(dir);
      renameSync(dir, final);
      syncPath(dirname(final));
      return sha256;
    },
    abandon: () => rmSync(dir, { recursive: true, force: true }),
  };
  return folder;
}

function growingFile(place: string, path: string, ended = (file: ListedFile) => file): GrowingFile {
  const fd = openSync(place, 'wx', 0o600);
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write(data) {
      const chunk = typeof data === 'string' ? Buffer.from(data) : data;
      hash.update(chunk);
      for (let at = 0; at < chunk.byteLength; ) at += writeSync(fd, chunk, at);
      bytes += chunk.byteLength;
    },
    end() {
      fsyncSync(fd);
      closeSync(fd);
      return ended({ path, bytes, sha256: hash.digest('hex') });
    },
  };
}

function eachChunk(path: string, take: (chunk: Uint8Array) => void): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) take(buffer.subarray(0, n));
  } finally {
    closeSync(fd);
  }
}

/** Size and SHA-256 of a file; lets others have their turn now and then. */
export async function hashOfFile(
  path: string,
  progress?: (bytes: number) => void,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const fd = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(CHUNK);
    let bytes = 0;
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, n));
      bytes += n;
      if (bytes % (16 * CHUNK) === 0) {
        progress?.(bytes);
        await turn();
      }
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(fd);
  }
}

/**
 * Compares the files of a folder with its manifest: everything that is missing, of another size or content, no plain
 * file, or not in the manifest, a line each; empty when all is as it should be.
 */
export async function checkFiles(
  dir: string,
  files: readonly ListedFile[],
  progress?: (bytes: number, of: number) => void,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  for (const file of files) {
    const problem = await checkFile(dir, file, n => progress?.(done + n, total));
    if (problem !== undefined) problems.push(problem);
    done += file.bytes;
    progress?.(done, total);
  }
  const known = new Set([MANIFEST, ...files.map(file => file.path)]);
  for (const path of filesBelow(dir)) if (!known.has(path)) problems.push(`${path} is not in the manifest`);
  return problems;
}

/** What is wrong with one file of a folder; undefined when it is as the manifest says. */
export async function checkFile(
  dir: string,
  { path, bytes, sha256 }: ListedFile,
  progress?: (bytes: number) => void,
): Promise<string | undefined> {
  const place = join(dir, path);
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (!found) return `${path} is missing`;
  if (!found.isFile()) return `${path} is no plain file`;
  if (found.size !== bytes) return `${path} has ${found.size} bytes, not ${bytes}`;
  if ((await hashOfFile(place, progress)).sha256 === sha256) return undefined;
  return `${path} was changed: its SHA-256 differs from the manifest's`;
}

/** Paths of everything below a directory that is no directory; nothing when there is none. */
export function filesBelow(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  const root = resolve(dir);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** Throws unless the file system of `path` has room for `bytes` and a little more. */
export function needSpace(path: string, bytes: number): void {
  const wanted = Math.ceil(bytes * 1.02) + 16 * CHUNK;
  const { bavail, bsize } = statfsSync(existing(resolve(path)));
  if (bavail * bsize < wanted)
    throw new Error(
      `${path} needs ${megabytes(wanted)} MB and its file system has ${megabytes(bavail * bsize)} MB free; choose another one or make room`,
    );
}

const existing = (path: string): string => (existsSync(path) ? path : existing(dirname(path)));

/** Makes a file or directory durable. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Copies a file to a place where there is none, mode 0600, synced. */
export function placeFile(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const file = growingFile(target, basename(target));
  eachChunk(source, chunk => file.write(chunk));
  file.end();
  syncPath(dirname(target));
}

/** Millions of bytes, at least one. */
export const megabytes = (bytes: number): string => String(Math.max(1, Math.round(bytes / 1e6)));
