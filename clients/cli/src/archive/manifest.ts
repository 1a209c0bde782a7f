import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** Name of the manifest of an export. */
export const MANIFEST = 'manifest.json';
/** Name of the signature of the manifest. */
export const SIGNATURE = 'manifest.sig';

/** A file as the manifest has it. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly records: number;
}

/** What is read of a manifest. */
export interface Manifest {
  readonly created: string;
  readonly by: { readonly id: string; readonly address: string; readonly display_name: string };
  readonly case_id: string;
  readonly reason: string;
  readonly format: string;
  readonly query: unknown;
  readonly product: { readonly name: string; readonly version: string };
  readonly records: number;
  /** Whether everything accepted before the export had been archived when it began. */
  readonly whole: boolean;
  readonly files: readonly ListedFile[];
}

/** Whether a path of an export leads to a file below its directory. */
export const isSafePath = (path: string): boolean =>
  /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(path) && !path.split('/').some(part => /^\.+$/.test(part));

/** Reads a manifest. Undefined when it is none. */
export function readManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    const read = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, never>;
    if (read['manifest'] !== 'parley.archive.export' || read['manifest_version'] !== 1) return undefined;
    const { by, product, counts, files } = read as unknown as {
      by: Manifest['by'];
      product: Manifest['product'];
      counts: { records: number };
      files: ListedFile[];
    };
    const listed = files.map(({ path, size, sha256, records }) => ({ path, size, sha256, records }));
    const texts = [read['created'], read['case_id'], read['reason'], read['format'], by.id, product.version];
    const numbers = [counts.records, ...listed.flatMap(file => [file.size, file.records])];
    const wellFormed =
      texts.every(text => typeof text === 'string') &&
      numbers.every(Number.isSafeInteger) &&
      listed.every(({ path, sha256 }) => typeof path === 'string' && /^[0-9a-f]{64}$/.test(sha256)) &&
      new Set(listed.map(file => file.path)).size === listed.length;
    if (!wellFormed) return undefined;
    const { created, case_id, reason, format, query } = read as unknown as Manifest;
    const whole = read['everything_accepted_was_archived'] !== (false as never);
    return { created, by, case_id, reason, format, query, product, whole, records: counts.records, files: listed };
  } catch {
    return undefined;
  }
}

/** Who signed a manifest. */
export interface Signer {
  readonly keyId: string;
  /** SPKI PEM. */
  readonly publicKey: string;
}

/** Whether the signature belongs to the manifest: who signed it, or what is wrong. */
export function checkSignature(manifest: Uint8Array, signature: Uint8Array): Signer | string {
  try {
    const read = JSON.parse(Buffer.from(signature).toString('utf8')) as Record<string, unknown>;
    if (read['algorithm'] !== 'Ed25519') return 'the signature is of a kind that is not known here';
    const key = createPublicKey(String(read['public_key']));
    const signer = signerOf(key);
    if (!signer) return 'the key of the signature is no Ed25519 key';
    if (signer.keyId !== read['key_id']) return 'the signature names another key than it carries';
    const good = verify(null, manifest, key, Buffer.from(String(read['signature']), 'base64'));
    return good ? signer : 'the signature is not over this manifest';
  } catch {
    return 'the signature cannot be read';
  }
}

/** A public key by its id: the beginning of the SHA-256 of the key. Undefined when it is no Ed25519 key. */
export function signerOf(key: KeyObject): Signer | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  const der = key.export({ type: 'spki', format: 'der' });
  return {
    keyId: createHash('sha256').update(der).digest('base64url').slice(0, 22),
    publicKey: key.export({ type: 'spki', format: 'pem' }) as string,
  };
}
