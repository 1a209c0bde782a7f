import type { MessageInitShape } from '@bufbuild/protobuf';
import { DiscoveryService, type ExportEventSchema, ExportFormat as Format } from '@parley/contracts/archive/v1/archive';
import { type MountedService, service } from '@parley/rpc';
import { fingerprint } from '../app/asked-query.ts';
import type { createExport, ExportEvent, ExportFormat } from '../app/export.ts';
import type { createSearch } from '../app/search.ts';
import type { createView } from '../app/view.ts';
import { archivingErrors } from '../errors.ts';
import { drained, MOST_QUEUED_BYTES } from './drained.ts';
import { itemMessage } from './messages.ts';
import { formatCursor, readCursor } from './search-cursor.ts';
import { atMost, purposeOf, queryOf, recordIdOf } from './validate.ts';

const MOST_RECORDS = 200;
const MOST_AROUND = 100;

export interface DiscoveryUseCases {
  readonly search: ReturnType<typeof createSearch>;
  readonly view: ReturnType<typeof createView>;
  readonly exported: ReturnType<typeof createExport>;
}

const FORMATS: ReadonlyMap<Format, ExportFormat> = new Map([
  [Format.EML, 'eml'],
  [Format.JSONL, 'jsonl'],
]);

export function discoveryService({ search, view, exported }: DiscoveryUseCases): MountedService {
  return service(DiscoveryService, {
    async search(request, context) {
      const purpose = purposeOf(request.purpose);
      const query = queryOf(request.query);
      const limit = atMost(request.limit, 'limit', MOST_RECORDS, 50);
      const after = readCursor(request.cursor, fingerprint(query));
      const { records, next, notIndexed, auditId } = await search({ purpose, query, limit, after, context });
      return {
        items: records.map(itemMessage),
        nextCursor: formatCursor(next, fingerprint(query)),
        notIndexed: BigInt(notIndexed),
        auditId,
      };
    },
    async view(request, context) {
      const purpose = purposeOf(request.purpose);
      const recordId = recordIdOf(request.recordId);
      const before = atMost(request.before, 'before', MOST_AROUND, 0);
      const after = atMost(request.after, 'after', MOST_AROUND, 0);
      const { records, raw, auditId } = await view({ purpose, recordId, before, after, context });
      return { items: records.map(itemMessage), raw, auditId };
    },
    async export(request, context, sink) {
      const purpose = purposeOf(request.purpose);
      const query = queryOf(request.query);
      const format = FORMATS.get(request.format);
      if (!format)
        throw archivingErrors('archive.field_invalid', { field: 'format', params: { wanted: 'EML or JSONL' } });
      for await (const event of exported({ purpose, query, format, context })) {
        sink.send(toMessage(event));
        if (sink.queuedBytes > MOST_QUEUED_BYTES) await drained(sink, context.signal);
      }
    },
  });
}

function toMessage(event: ExportEvent): MessageInitShape<typeof ExportEventSchema> {
  switch (event.kind) {
    case 'progress': {
      const value = { records: BigInt(event.records), lookedAt: BigInt(event.lookedAt) };
      return { event: { case: 'progress', value } };
    }
    case 'file':
      return { event: { case: 'file', value: { path: event.path } } };
    case 'data':
      return { event: { case: 'data', value: event.bytes } };
    case 'result': {
      const { manifestHash, auditId } = event;
      const value = { manifestHash, auditId, records: BigInt(event.records), files: BigInt(event.files) };
      return { event: { case: 'result', value } };
    }
  }
}
