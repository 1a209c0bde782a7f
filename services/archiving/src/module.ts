import type { EventLog } from '@parley/event-log';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Ids, Logger, Metrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { createPeopleReader } from './adapters/directory/people-reader.ts';
import { createPolicyReader } from './adapters/directory/policy-reader.ts';
import { createStandingReader } from './adapters/directory/standing-reader.ts';
import { ARCHIVE_TOPIC, ARCHIVING_GROUP, createArchiveLog } from './adapters/log/archive-log.ts';
import { createMailWriter } from './adapters/mail/mail-writer.ts';
import { decodeFull } from './adapters/protobuf/decode-full.ts';
import { decodeIndexed } from './adapters/protobuf/decode-indexed.ts';
import { decodeRecord } from './adapters/protobuf/decode-record.ts';
import { whyParked } from './adapters/protobuf/why-parked.ts';
import { createAuditStore } from './adapters/store/audit-store.ts';
import { createCheckpointStore } from './adapters/store/checkpoint-store.ts';
import { createContentStore } from './adapters/store/content-store.ts';
import { createIndexStore } from './adapters/store/index-store.ts';
import { createLinkStore } from './adapters/store/link-store.ts';
import { createVerificationStore } from './adapters/store/verification-store.ts';
import { type ArchiveRecordsDeps, createArchiveRecords } from './app/archive-records.ts';
import { Archiver } from './app/archiver.ts';
import { AuditLog } from './app/audit-log.ts';
import { CheckpointKeeper } from './app/checkpoint-keeper.ts';
import { createExport } from './app/export.ts';
import { createFileContents } from './app/file-contents.ts';
import { createGate } from './app/gate.ts';
import { createGetStatus } from './app/get-status.ts';
import { Indexer } from './app/indexer.ts';
import { createListEntries } from './app/list-entries.ts';
import { createCountParked, createListParked } from './app/list-parked.ts';
import { createLocateRecord } from './app/locate-record.ts';
import { createReadRecords } from './app/read-records.ts';
import { RecentRecords } from './app/recent-records.ts';
import { createResolvePeople } from './app/resolve-people.ts';
import { ScheduledVerification } from './app/scheduled-verification.ts';
import { SealEarlier } from './app/seal-earlier.ts';
import { createSearch } from './app/search.ts';
import { createSearchRecords } from './app/search-records.ts';
import { createSettle } from './app/settle.ts';
import { Standings } from './app/standings.ts';
import { createVerification } from './app/verification.ts';
import { createVerify } from './app/verify.ts';
import { createVerifyEntries } from './app/verify-entries.ts';
import { createView } from './app/view.ts';
import type { ArchivingConfig } from './config.ts';
import { archivingConsumer } from './consumers/archiving-consumer.ts';
import { archivingErrors } from './errors.ts';
import { createTelemetry } from './events.ts';
import type { CheckpointCopy } from './ports/checkpoint-copy.ts';
import type { CheckpointSigner } from './ports/checkpoint-signer.ts';
import { archiveService } from './rpc/archive-service.ts';
import { auditService } from './rpc/audit-service.ts';
import { discoveryService } from './rpc/discovery-service.ts';
import { withStanding } from './rpc/with-standing.ts';

/** What archiving needs of its process. */
export interface ArchivingDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly eventLog: EventLog;
  readonly channels: { readonly directory: Channel };
  readonly checkpointSigner: CheckpointSigner;
  readonly checkpointCopy: CheckpointCopy;
  /** The second place of the audit log. */
  readonly auditCopy: CheckpointCopy;
  /** Version of the product, for manifests. */
  readonly version: string;
}

/** The compliance archive: chains what is logged, states under signature how far it is, and proves it on demand. */
export function createArchiving(config: ArchivingConfig, deps: ArchivingDeps): ServiceModule {
  const { clock, checkpointSigner: signer, checkpointCopy: copy } = deps;
  const settings = config;
  const telemetry = createTelemetry(deps.logger, deps.metrics);
  const codec = { decode: decodeRecord, whyParked, decodeIndexed, decodeFull };
  const log = createArchiveLog(deps.eventLog);
  const links = createLinkStore(deps.store);
  const contents = createContentStore(deps.store);
  const checkpoints = createCheckpointStore(deps.store);
  const index = createIndexStore(deps.store);
  const people = createPeopleReader(deps.channels.directory, config.directoryTimeoutMs);
  const audit = new AuditLog({
    ...{ clock, ids: deps.ids, signer, telemetry },
    ...{ audit: createAuditStore(deps.store), copy: deps.auditCopy },
  });
  const recent = new RecentRecords(config.indexMemoryRecords);
  const me = deps.ids.opaque();
  const indexer = new Indexer({ clock, links, contents, codec, index, recent, me, settings, telemetry });
  const file = createFileContents({ contents, codec, clock });
  const countParked = createCountParked(contents, telemetry);
  // Only a figure: what is archived does not wait for it.
  const parked = () => countParked().catch(() => undefined);
  const archived: ArchiveRecordsDeps['archived'] = (chain, next, entries) => {
    recent.add(chain, next, entries);
    indexer.note(chain, next);
  };
  const archive = createArchiveRecords({ links, contents, file, telemetry, parked, archived });
  const archiver = new Archiver({ log, links, archive, telemetry });
  const heads = () => archiver.heads();
  const keeper = new CheckpointKeeper({ clock, log, links, checkpoints, copy, signer, heads, settings, telemetry });
  const sealer = new SealEarlier({ clock, log, links, checkpoints, copy, signer, telemetry });
  const consumer = archivingConsumer({
    ...{ log: deps.eventLog, topic: ARCHIVE_TOPIC, group: ARCHIVING_GROUP, clock, telemetry },
    handle: batch => archiver.handle(batch),
    maxBatch: config.maxBatch,
    lingerMs: config.lingerMs,
  });
  const settle = createSettle({ clock, log, group: ARCHIVING_GROUP, pollMs: config.settlePollMs });
  const policy = createPolicyReader(deps.channels.directory, config.directoryTimeoutMs);
  const audited = { audit, people, telemetry };
  const reader = createStandingReader(deps.channels.directory, config.directoryTimeoutMs);
  const standings = new Standings({ clock, reader, settings, telemetry });
  const read = createReadRecords({ links, contents, codec });
  const verification = createVerification({
    ...{ links, contents, checkpoints, copy, signer, codec, clock, settle, settings, telemetry },
  });
  const auditStore = createAuditStore(deps.store);
  const verifyEntries = createVerifyEntries({ clock, audit: auditStore, copy: deps.auditCopy, signer, settings });
  const verifications = createVerificationStore(deps.store);
  const verifier = new ScheduledVerification({
    ...{ clock, store: verifications, verification, verifyEntries, me, settings, telemetry },
  });
  const archiveServices = archiveService({
    listParked: createListParked({ contents }),
    locateRecord: createLocateRecord({
      ...{ ...audited, contents, checkpoints, index, read },
      holds: (person, roles) => standings.holds(person, roles),
    }),
    getStatus: createGetStatus({ log, links, countParked, checkpoints, policy, index, signer, verifications }),
    verify: createVerify({ ...audited, verification, settings }),
  });

  return {
    name: 'archiving',
    services: [archiveServices, ...deskServices()].map(mounted =>
      withStanding(mounted, (person, roles) => standings.require(person, roles)),
    ),
    async start() {
      await audit.start();
      await parked();
      await consumer.start();
      await keeper.start();
      await sealer.start();
      await indexer.start();
      await verifier.start();
    },
    async stop() {
      await verifier.stop();
      await sealer.stop();
      await consumer.stop();
      await indexer.stop();
      await keeper.stop();
      await audit.stop();
    },
  };

  /** What the compliance officer and the auditor work with. */
  function deskServices() {
    const search = createSearchRecords({ clock, index, read, settings });
    const resolve = createResolvePeople({ people, index });
    const searches = createGate(config.maxSearches, limit =>
      archivingErrors('archive.search_busy', { params: { limit }, retryAfterMs: 1_000 }),
    );
    const exports = createGate(config.maxExports, limit =>
      archivingErrors('archive.export_busy', { params: { limit }, retryAfterMs: 10_000 }),
    );
    return [
      discoveryService({
        search: createSearch({ ...audited, links, index, resolve, search, gate: searches }),
        view: createView({ ...audited, clock, contents, index, read, search, gate: searches, settings }),
        exported: createExport({
          ...{ ...audited, clock, links, contents, checkpoints, index, signer, read, resolve, settle, settings },
          ...{ mails: createMailWriter(), gate: exports, version: deps.version },
        }),
      }),
      auditService({
        listEntries: createListEntries({ audit: auditStore, people }),
        verifyEntries,
      }),
    ];
  }
}
