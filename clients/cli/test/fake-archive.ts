import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ConnectRouter } from '@connectrpc/connect';
import {
  type ArchivedItemSchema,
  type AuditEntrySchema,
  AuditService,
  DiscoveryService,
  type ExportEventSchema,
  type ExportRequest,
  type ListEntriesRequest,
  type SearchRequest,
  type ViewRequest,
} from '@parley/contracts/archive/v1/archive';

type ExportEvent = NonNullable<MessageInitShape<typeof ExportEventSchema>['event']>;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A key as the server has one, and its public half. */
export function newSigner() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    privateKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    keyId: createHash('sha256').update(der).digest('base64url').slice(0, 22),
  };
}

/** Files of an export with a manifest over them, as the server makes them. */
export function signedExport(files: Readonly<Record<string, string>>, signer = newSigner(), more = {}) {
  const listed = Object.entries(files).map(([path, text]) => ({
    path,
    size: Buffer.byteLength(text),
    sha256: sha256(Buffer.from(text)),
    records: path.endsWith('.jsonl') ? text.split('\n').length - 1 : 1,
  }));
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ manifest: 'parley.archive.export', manifest_version: 1, product: { name: 'Parley', version: '0.1.0' } },
      ...{ created: '2026-01-05T09:00:00.000Z', case_id: 'HR-2026-014', reason: 'complaint', format: 'jsonl' },
      by: { id: 'vera-id', address: 'vera@clinic.example', display_name: 'Vera 林' },
      query: { words: '會議' },
      counts: { records: listed.reduce((sum, file) => sum + file.records, 0) },
      files: listed,
      ...more,
    }),
  );
  const signature = JSON.stringify({
    algorithm: 'Ed25519',
    key_id: signer.keyId,
    public_key: signer.publicPem,
    signature: sign(null, manifest, signer.privateKey).toString('base64'),
  });
  const all = new Map<string, Buffer>(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  all.set('manifest.json', manifest).set('manifest.sig', Buffer.from(signature));
  return { files: all, manifest, manifestHash: sha256(manifest), signer, count: listed.length };
}

/** The events by which an export comes, in small pieces. */
export function* eventsOf(made: ReturnType<typeof signedExport>): Generator<ExportEvent> {
  for (const [path, bytes] of made.files) {
    yield { case: 'file', value: { path } };
    for (let at = 0; at < bytes.length; at += 100) yield { case: 'data', value: bytes.subarray(at, at + 100) };
    yield { case: 'progress', value: { records: 1n, lookedAt: 2n } };
  }
  const { manifestHash } = made;
  yield { case: 'result', value: { manifestHash, records: 3n, files: BigInt(made.count), auditId: 'audit-9' } };
}

/** The compliance officer's desk and the audit log of a fake server. */
export function createFakeArchive() {
  const archive = {
    items: [] as MessageInitShape<typeof ArchivedItemSchema>[],
    entries: [] as MessageInitShape<typeof AuditEntrySchema>[],
    notIndexed: 0n,
    exportEvents: [] as Iterable<ExportEvent>,
    auditFindings: [] as string[],
    searches: [] as SearchRequest[],
    views: [] as ViewRequest[],
    exports: [] as ExportRequest[],
    lists: [] as ListEntriesRequest[],
    mount: (router: ConnectRouter) =>
      router
        .service(DiscoveryService, {
          search(request) {
            archive.searches.push(request);
            const from = Number(request.cursor || 0);
            const items = archive.items.slice(from, from + request.limit);
            const next = from + items.length;
            const nextCursor = next < archive.items.length ? String(next) : '';
            return { items, nextCursor, notIndexed: archive.notIndexed, auditId: `audit-${archive.searches.length}` };
          },
          view(request) {
            archive.views.push(request);
            return { items: archive.items, raw: Buffer.from('raw'), auditId: 'audit-1' };
          },
          async *export(request) {
            archive.exports.push(request);
            for (const event of archive.exportEvents) yield { event };
          },
        })
        .service(AuditService, {
          listEntries(request) {
            archive.lists.push(request);
            return { entries: archive.entries };
          },
          verifyEntries: () => ({
            intact: archive.auditFindings.length === 0,
            findings: archive.auditFindings,
            entries: 5n,
            checkpointed: 5n,
          }),
        }),
  };
  return archive;
}
