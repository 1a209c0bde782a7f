import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../exit-codes.ts';
import { checkSignature, isSafePath, MANIFEST, readManifest, SIGNATURE } from './manifest.ts';

/** What was written of a file. */
interface Written {
  readonly size: number;
  readonly sha256: string;
}

/** Thrown when what came is not what its manifest says. */
export class BadExportError extends Error {
  override readonly name = 'BadExportError';
}

/**
 * A directory that an export is written into. It appears under its name only when it is complete and agrees with its
 * manifest; until then it stands beside it.
 */
export class ExportDirectory {
  readonly #target: string;
  readonly #work: string;
  readonly #written = new Map<string, Written>();
  readonly #small = new Map<string, Buffer>();
  #file: { path: string; handle: FileHandle; hash: ReturnType<typeof createHash>; size: number } | undefined;

  private constructor(target: string, work: string) {
    this.#target = target;
    this.#work = work;
  }

  /** Refuses a directory in which there is something. */
  static async create(dir: string): Promise<ExportDirectory> {
    const target = resolve(dir);
    const there = await stat(target).catch(() => undefined);
    if (there && (!there.isDirectory() || (await readdir(target)).length > 0))
      throw new UsageError(`${dir} is there and not empty`, 'Give a directory that is new or empty.', 'cli.not_empty');
    await mkdir(dirname(target), { recursive: true });
    return new ExportDirectory(target, await mkdtemp(join(dirname(target), `.${basename(target)}-`)));
  }

  async begin(path: string): Promise<void> {
    await this.#end();
    if (!isSafePath(path) || this.#written.has(path))
      throw new BadExportError(`the server names ${JSON.stringify(path)}, which is no path of an export`);
    const full = join(this.#work, path);
    await mkdir(dirname(full), { recursive: true, mode: 0o700 });
    this.#file = { path, handle: await open(full, 'wx', 0o600), hash: createHash('sha256'), size: 0 };
    if (path === MANIFEST || path === SIGNATURE) this.#small.set(path, Buffer.alloc(0));
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#file) throw new BadExportError('the server sends bytes that belong to no file');
    this.#file.hash.update(bytes);
    this.#file.size += bytes.length;
    await this.#file.handle.writeFile(bytes);
    const small = this.#small.get(this.#file.path);
    if (small) this.#small.set(this.#file.path, Buffer.concat([small, bytes]));
  }

  /** Compares what was written with the manifest, whose hash the server has told, and gives the directory its name. */
  async finish(manifestHash: string): Promise<{ readonly keyId: string; readonly whole: boolean }> {
    await this.#end();
    const manifestBytes = this.#small.get(MANIFEST) ?? Buffer.alloc(0);
    const manifest = readManifest(manifestBytes);
    if (!manifest || this.#written.get(MANIFEST)?.sha256 !== manifestHash)
      throw new BadExportError('the manifest is not the one that the server says it sent');
    const signer = checkSignature(manifestBytes, this.#small.get(SIGNATURE) ?? Buffer.alloc(0));
    if (typeof signer === 'string') throw new BadExportError(signer);
    for (const { path, size, sha256 } of manifest.files) {
      const written = this.#written.get(path);
      if (written?.size !== size || written.sha256 !== sha256) throw new BadExportError(`${path} did not arrive whole`);
    }
    if (this.#written.size !== manifest.files.length + 2)
      throw new BadExportError('more files arrived than the manifest names');
    await rmdir(this.#target).catch(() => undefined);
    await rename(this.#work, this.#target);
    const parent = await open(dirname(this.#target), 'r');
    await parent.sync().finally(() => parent.close());
    return { keyId: signer.keyId, whole: manifest.whole };
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#file?.handle.close().catch(() => undefined);
    this.#file = undefined;
    await rm(this.#work, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    if (!this.#file) return;
    const { path, handle, hash, size } = this.#file;
    this.#file = undefined;
    await handle.sync().finally(() => handle.close());
    this.#written.set(path, { size, sha256: hash.digest('hex') });
  }
}
