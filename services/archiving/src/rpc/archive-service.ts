import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ArchiveService,
  FindingKind,
  ParkReason,
  type RecordState,
  type VerifyEventSchema,
} from '@parley/contracts/archive/v1/archive';
import { type CallContext, type MountedService, service } from '@parley/rpc';
import type { Status } from '../app/get-status.ts';
import type { createListParked } from '../app/list-parked.ts';
import type { createLocateRecord } from '../app/locate-record.ts';
import type { VerifyEvent } from '../app/verification.ts';
import type { Verify } from '../app/verify.ts';
import { archivingErrors } from '../errors.ts';
import { drained, MOST_QUEUED_BYTES } from './drained.ts';
import { atMost, recordIdOf } from './validate.ts';

const MOST_SETTLE_MS = 60_000;
const MOST_PARKED = 200;
const MOST_CURSOR = 2_048;

export interface ArchiveUseCases {
  readonly getStatus: (context: CallContext) => Promise<Status>;
  readonly verify: Verify;
  readonly listParked: ReturnType<typeof createListParked>;
  readonly locateRecord: ReturnType<typeof createLocateRecord>;
}

export function archiveService(useCases: ArchiveUseCases): MountedService {
  const { getStatus, verify, listParked, locateRecord } = useCases;
  return service(ArchiveService, {
    async getStatus(_, context) {
      const status = await getStatus(context);
      return {
        partitions: status.partitions.map(partition => ({
          topic: partition.topic,
          partition: partition.partition,
          headHash: partition.headHash,
          epoch: BigInt(partition.epoch),
          firstOffset: BigInt(partition.firstOffset),
          nextOffset: BigInt(partition.nextOffset),
          lag: BigInt(partition.lag),
          checkpointMs: BigInt(partition.checkpointMs),
          checkpointCount: BigInt(partition.checkpointCount),
        })),
        parked: BigInt(status.parked),
        policySummary: status.policySummary,
        peopleWithOwnPolicy: BigInt(status.peopleWithOwnPolicy),
        notIndexed: BigInt(status.notIndexed),
        signingKeyId: status.signingKeyId,
        signingPublicKey: status.signingPublicKey,
        verifiedMs: BigInt(status.verified?.atMs ?? 0),
        verifiedIntact: status.verified?.intact === true,
      };
    },
    async listParked({ limit, cursor }) {
      if (cursor.length > MOST_CURSOR) throw archivingErrors('archive.cursor_invalid', { field: 'cursor' });
      const page = await listParked(atMost(limit, 'limit', MOST_PARKED, 50), cursor === '' ? undefined : cursor);
      return {
        records: page.records.map(({ place, parkedMs, reason, size, sha256 }) => ({
          ...{ linkId: place, sha256, size: BigInt(size), parkedMs: BigInt(parkedMs) },
          reason: reason === undefined ? ParkReason.UNSPECIFIED : PARK_REASONS[reason],
        })),
        nextCursor: page.next ?? '',
      };
    },
    async locateRecord({ recordId }, context) {
      const { place, state, acceptedMs, recipientIds, ...rest } = await locateRecord(recordIdOf(recordId), context);
      return {
        ...rest,
        ...{ linkId: place, state: state as RecordState, acceptedMs: BigInt(acceptedMs) },
        recipientIds: [...recipientIds],
      };
    },
    async verify({ reportRecords, settleMs }, context, sink) {
      if (settleMs > MOST_SETTLE_MS)
        throw archivingErrors('archive.settle_invalid', { field: 'settle_ms', params: { limit: MOST_SETTLE_MS } });
      const { signal } = context;
      for await (const event of verify({ context, reportRecords, settleMs })) {
        sink.send(toMessage(event));
        if (sink.queuedBytes > MOST_QUEUED_BYTES) await drained(sink, signal);
      }
    },
  });
}

const PARK_REASONS = {
  not_a_record: ParkReason.NOT_A_RECORD,
  unknown_version: ParkReason.UNKNOWN_VERSION,
  unknown_kind: ParkReason.UNKNOWN_KIND,
  invalid: ParkReason.INVALID,
} as const;

const findingKinds = {
  missing_link: FindingKind.MISSING_LINK,
  broken_hash: FindingKind.BROKEN_HASH,
  altered_content: FindingKind.ALTERED_CONTENT,
  missing_content: FindingKind.MISSING_CONTENT,
  checkpoint_mismatch: FindingKind.CHECKPOINT_MISMATCH,
  bad_signature: FindingKind.BAD_SIGNATURE,
  checkpoint_copy_differs: FindingKind.CHECKPOINT_COPY_DIFFERS,
} as const;

function toMessage(event: VerifyEvent): MessageInitShape<typeof VerifyEventSchema> {
  switch (event.kind) {
    case 'progress': {
      const value = { links: BigInt(event.links), total: BigInt(event.total) };
      return { event: { case: 'progress', value } };
    }
    case 'finding': {
      const { kind, place, detail } = event.finding;
      return { event: { case: 'finding', value: { kind: findingKinds[kind], linkId: place, detail } } };
    }
    case 'record': {
      const { recordId, place, state, acceptedMs } = event.record;
      const value = { recordId, linkId: place, state: state as RecordState, acceptedMs: BigInt(acceptedMs) };
      return { event: { case: 'record', value } };
    }
    case 'result': {
      const { intact, ...counts } = event.result;
      const value = {
        intact,
        links: BigInt(counts.links),
        contents: BigInt(counts.contents),
        checkpoints: BigInt(counts.checkpoints),
        findings: BigInt(counts.findings),
        records: BigInt(counts.records),
        duplicates: BigInt(counts.duplicates),
        notAccepted: BigInt(counts.notAccepted),
        parked: BigInt(counts.parked),
        beyondCheckpoint: BigInt(counts.beyondCheckpoint),
      };
      return { event: { case: 'result', value } };
    }
  }
}
