import assert from 'node:assert/strict';
import { createPublicKey, hash, verify } from 'node:crypto';
import type { Exported, World } from './world.ts';

/** What tests read of a manifest. */
export interface Manifest {
  readonly [field: string]: unknown;
  readonly counts: Record<string, number>;
  readonly files: { path: string; size: number; sha256: string; records: number }[];
  readonly chains: {
    chain: string;
    records: number;
    first_link: string;
    last_link: string;
    beyond_checkpoint: number;
  }[];
}

/** The manifest, after everything about the export was checked as a stranger would. */
export function checkedIn(world: World, { files, result }: Exported): Manifest {
  const bytes = files.get('manifest.json') as Buffer;
  assert.equal(hash('sha256', bytes, 'hex'), result.manifestHash);
  assert.deepEqual([...files.keys()].slice(-2), ['manifest.json', 'manifest.sig']);
  const signature = JSON.parse(String(files.get('manifest.sig'))) as Record<string, string>;
  const key = createPublicKey(signature['public_key'] ?? '');
  assert.equal(signature['public_key'], world.key.publicPem);
  assert.equal(signature['key_id'], world.signer.keyId);
  assert.ok(verify(null, bytes, key, Buffer.from(signature['signature'] ?? '', 'base64')));
  const manifest = JSON.parse(String(bytes)) as Manifest;
  assert.deepEqual(
    manifest.files.map(file => file.path),
    [...files.keys()].slice(0, -2),
  );
  for (const { path, size, sha256 } of manifest.files) {
    assert.match(path, /^[A-Za-z0-9._/-]+$/);
    assert.deepEqual([files.get(path)?.length, hash('sha256', files.get(path) as Buffer, 'hex')], [size, sha256]);
  }
  assert.equal(
    manifest.files.reduce((sum, file) => sum + file.records, 0),
    manifest.counts['records'],
  );
  assert.equal(result.records, BigInt(manifest.counts['records'] ?? -1));
  assert.equal(result.files, BigInt(manifest.files.length));
  return manifest;
}

/** Records of an export as JSON lines. */
export const linesOf = ({ files }: Exported): Record<string, unknown>[] =>
  [...files]
    .filter(([path]) => path.endsWith('.jsonl'))
    .flatMap(([, bytes]) => String(bytes).trimEnd().split('\n'))
    .map(line => JSON.parse(line) as Record<string, unknown>);
