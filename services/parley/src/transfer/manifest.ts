import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isNewer, VERSION } from '../version.ts';

/** Name of the file that says what a backup or an export holds. */
export const MANIFEST = 'manifest.json';
/** Largest manifest that is read. */
const MOST_BYTES = 64 * 1024 * 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
/** A path below the folder: no way out of it, nothing hidden. */
const path = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9_][A-Za-z0-9._-]{0,199}){0,7}$/);

const common = {
  /** Version of the server that wrote it. */
  server: z.string().max(64),
  created: z.string().max(64),
  createdMs: count,
  /** Whether private keys are inside. */
  keys: z.boolean(),
  log: z.object({
    epoch: count,
    partitions: z.array(
      z.object({
        topic: z.string(),
        partition: count,
        low: count,
        high: count,
        committed: z.record(z.string(), count),
      }),
    ),
  }),
  /** How each chain of the archive ends. */
  archive: z.array(z.object({ chain: z.string(), first: count, next: count, hash })),
  files: z.array(z.object({ path, bytes: count, sha256: hash })),
};

const schemas = {
  'parley-backup': z.object({
    ...common,
    format: z.literal('parley-backup'),
    version: z.literal(1),
    /** Names of variables that were in force as configuration; their values are not kept. */
    environment: z.array(z.string()),
    /** Documents of each collection. */
    documents: z.record(z.string(), count),
  }),
  'parley-export': z.object({
    ...common,
    format: z.literal('parley-export'),
    version: z.literal(1),
    collections: z.array(z.object({ service: z.string(), name: z.string(), file: path, documents: count })),
    /** Collections that are not carried, and why. */
    left: z.array(z.object({ service: z.string(), name: z.string(), why: z.string() })),
  }),
} as const;

/** Newest version of each format that this server reads, and the one it writes. */
export const FORMAT_VERSION = { 'parley-backup': 1, 'parley-export': 1 } as const;

export type FormatName = keyof typeof schemas;
export type Manifest<F extends FormatName> = z.infer<(typeof schemas)[F]>;
export type BackupManifest = Manifest<'parley-backup'>;
export type ExportManifest = Manifest<'parley-export'>;
/** A file as the manifest knows it. */
export type ListedFile = BackupManifest['files'][number];

/** A manifest and the hash by which people refer to it. */
export interface ReadManifest<F extends FormatName> {
  readonly manifest: Manifest<F>;
  readonly sha256: string;
}

const WHAT = { 'parley-backup': 'backup', 'parley-export': 'export' } as const;

/**
 * Reads the manifest of a folder. Refuses a folder without one, one of another format, one that a newer server wrote
 * (naming both versions), and, when `expected` is given, one with another hash.
 */
export function readManifest<F extends FormatName>(dir: string, format: F, expected?: string): ReadManifest<F> {
  const file = join(dir, MANIFEST);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new Error(`${dir} is no ${WHAT[format]}: it has no ${MANIFEST}`);
  if (size > MOST_BYTES) throw new Error(`${file} is too large to be a manifest`);
  const bytes = readFileSync(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (expected !== undefined && expected.toLowerCase() !== sha256)
    throw new Error(`${file} is not the manifest you expect: its SHA-256 is ${sha256}`);
  const head = headOf(bytes, file);
  if (head.format !== format)
    throw new Error(`${dir} is no ${WHAT[format]}: its format is ${JSON.stringify(head.format)}`);
  const known = FORMAT_VERSION[format];
  if (head.version !== known)
    throw new Error(
      `${dir} has ${WHAT[format]} format version ${JSON.stringify(head.version)}, this server ${VERSION} reads version ${known}; use the server that wrote it (${JSON.stringify(head.server)}) or a newer one`,
    );
  const parsed = schemas[format].safeParse(head);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${file}: ${issue?.path.map(String).join('.')}: ${issue?.message}`);
  }
  const manifest = parsed.data as Manifest<F>;
  if (isNewer(manifest.server, VERSION))
    throw new Error(`${dir} was written by server ${manifest.server}, this is ${VERSION}: install ${manifest.server}`);
  return { manifest, sha256 };
}

function headOf(bytes: Buffer, file: string): Readonly<Record<'format' | 'version' | 'server', unknown>> {
  try {
    const found: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof found === 'object' && found !== null)
      return found as Readonly<Record<'format' | 'version' | 'server', unknown>>;
  } catch {
    // Said below.
  }
  throw new Error(`${file} is no manifest`);
}
