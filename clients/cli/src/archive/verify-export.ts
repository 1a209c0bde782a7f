import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkSignature,
  isSafePath,
  type ListedFile,
  MANIFEST,
  type Manifest,
  readManifest,
  SIGNATURE,
} from './manifest.ts';

/** Problems that are told one by one. */
const MOST_PROBLEMS = 1_000;
/** Bytes of a message in which its headers stand. */
const HEADER_BYTES = 65_536;

/** What a check of an export found. */
export interface ExportVerdict {
  readonly intact: boolean;
  readonly problems: readonly string[];
  readonly manifest: Manifest | undefined;
  /** Key that signed it; undefined when the signature is not good. */
  readonly keyId: string | undefined;
  /** Whether it is the key that was expected; undefined when none was named. */
  readonly trusted: boolean | undefined;
}

export interface VerifyOptions {
  /** Id of the key that must have signed. */
  readonly expectedKeyId?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Checks an export by itself, without a server: the signature of the manifest, that every file is there with its size and
 * hash, that there is no other, and that the counts of records agree. Rejects when there is no such directory.
 */
export async function verifyExport(dir: string, options: VerifyOptions): Promise<ExportVerdict> {
  await readdir(dir);
  const problems: string[] = [];
  const [manifestBytes, signatureBytes] = await Promise.all([plain(dir, MANIFEST), plain(dir, SIGNATURE)]);
  if (!manifestBytes) problems.push(`${MANIFEST} is missing`);
  if (!signatureBytes) problems.push(`${SIGNATURE} is missing`);
  const signer = manifestBytes && signatureBytes && checkSignature(manifestBytes, signatureBytes);
  if (typeof signer === 'string') problems.push(signer);
  const keyId = typeof signer === 'object' ? signer.keyId : undefined;
  const { expectedKeyId } = options;
  const trusted = expectedKeyId === undefined || keyId === undefined ? undefined : keyId === expectedKeyId;
  if (trusted === false) problems.push(`signed by key ${keyId}, not by ${expectedKeyId}`);
  const manifest = manifestBytes && readManifest(manifestBytes);
  if (manifestBytes && !manifest) problems.push(`${MANIFEST} cannot be read`);
  if (manifest) await checkFiles(dir, manifest, options, problem => problems.push(problem));
  return { intact: problems.length === 0, problems: problems.slice(0, MOST_PROBLEMS), manifest, keyId, trusted };
}

async function checkFiles(
  dir: string,
  manifest: Manifest,
  { signal, onProgress }: VerifyOptions,
  report: (problem: string) => void,
): Promise<void> {
  const listed = new Set([...manifest.files.map(file => file.path), MANIFEST, SIGNATURE]);
  const there = new Set<string>();
  for await (const { path, isFile } of entriesBelow(dir)) {
    signal.throwIfAborted();
    there.add(path);
    if (!listed.has(path)) report(`${path} is not part of the export`);
    else if (!isFile) report(`${path} is not a plain file`);
  }
  let records = 0;
  for (const [i, file] of manifest.files.entries()) {
    signal.throwIfAborted();
    onProgress?.(i, manifest.files.length);
    records += file.records;
    if (!isSafePath(file.path))
      report(`the manifest names ${JSON.stringify(file.path)}, which is no path of an export`);
    else if (!there.has(file.path)) report(`${file.path} is missing`);
    else for (const problem of await checkFile(dir, file, signal)) report(`${file.path} ${problem}`);
  }
  if (records !== manifest.records) report(`the files hold ${records} records, the manifest says ${manifest.records}`);
}

async function checkFile(dir: string, file: ListedFile, signal: AbortSignal): Promise<readonly string[]> {
  const path = join(dir, file.path);
  if (!(await lstat(path)).isFile()) return [];
  const hash = createHash('sha256');
  let [size, lines, head] = [0, 0, ''];
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 262_144 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (size < HEADER_BYTES) head += chunk.subarray(0, HEADER_BYTES - size).toString('latin1');
    size += chunk.length;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines++;
  }
  const counted = file.path.endsWith('.jsonl') ? lines : Number(/^X-Parley-Records: (\d+)\r?$/m.exec(head)?.[1] ?? -1);
  return [
    ...(size === file.size ? [] : [`has ${size} bytes, the manifest says ${file.size}`]),
    ...(hash.digest('hex') === file.sha256 ? [] : ['was changed: its hash is not the one in the manifest']),
    ...(counted === file.records ? [] : [`does not hold the ${file.records} records that the manifest says`]),
  ];
}

/** Everything below a directory but directories, links not followed. */
async function* entriesBelow(dir: string, below = ''): AsyncGenerator<{ path: string; isFile: boolean }> {
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* entriesBelow(dir, path);
    else yield { path, isFile: entry.isFile() };
  }
}

async function plain(dir: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(dir, name);
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? await readFile(path) : undefined;
}
