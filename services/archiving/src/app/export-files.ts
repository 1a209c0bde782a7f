import { createHash } from 'node:crypto';

/** What leaves an export. */
export type ExportPiece =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'data'; readonly bytes: Uint8Array };

export interface FileEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly records: number;
}

/** Bytes sent at once. */
const MOST_BYTES = 65_536;

/** Writes files one after the other and keeps what the manifest says about them. */
export class ExportFiles {
  readonly files: FileEntry[] = [];
  #path = '';
  #hash = createHash('sha256');
  #size = 0;
  #records = 0;
  #open = false;

  *begin(path: string): Generator<ExportPiece> {
    this.end();
    this.#path = path;
    this.#hash = createHash('sha256');
    this.#size = 0;
    this.#records = 0;
    this.#open = true;
    yield { kind: 'file', path };
  }

  *write(bytes: Uint8Array, records: number): Generator<ExportPiece> {
    this.#hash.update(bytes);
    this.#size += bytes.length;
    this.#records += records;
    for (let at = 0; at < bytes.length; at += MOST_BYTES)
      yield { kind: 'data', bytes: bytes.subarray(at, at + MOST_BYTES) };
  }

  /** The file that was begun, if any, has all its bytes. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    const sha256 = this.#hash.digest('hex');
    this.files.push({ path: this.#path, size: this.#size, sha256, records: this.#records });
  }
}
