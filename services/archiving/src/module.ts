import type { EventLog } from '@parley/event-log';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Logger, Metrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { createPolicyReader } from './adapters/directory/policy-reader.ts';
import { ARCHIVE_TOPIC, ARCHIVING_GROUP, createArchiveLog } from './adapters/log/archive-log.ts';
import { decodeRecord } from './adapters/protobuf/decode-record.ts';
import { createCheckpointStore } from './adapters/store/checkpoint-store.ts';
import { createContentStore } from './adapters/store/content-store.ts';
import { createLinkStore } from './adapters/store/link-store.ts';
import { createArchiveRecords } from './app/archive-records.ts';
import { Archiver } from './app/archiver.ts';
import { CheckpointKeeper } from './app/checkpoint-keeper.ts';
import { createFileContents } from './app/file-contents.ts';
import { createGetStatus } from './app/get-status.ts';
import { SealEarlier } from './app/seal-earlier.ts';
import { createSettle } from './app/settle.ts';
import { createVerify } from './app/verify.ts';
import type { ArchivingConfig } from './config.ts';
import { archivingConsumer } from './consumers/archiving-consumer.ts';
import { createTelemetry } from './events.ts';
import type { CheckpointCopy } from './ports/checkpoint-copy.ts';
import type { CheckpointSigner } from './ports/checkpoint-signer.ts';
import { archiveService } from './rpc/archive-service.ts';

/** What archiving needs of its process. */
export interface ArchivingDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly eventLog: EventLog;
  readonly channels: { readonly directory: Channel };
  readonly checkpointSigner: CheckpointSigner;
  readonly checkpointCopy: CheckpointCopy;
}

/** The compliance archive: chains what is logged, states under signature how far it is, and proves it on demand. */
export function createArchiving(config: ArchivingConfig, deps: ArchivingDeps): ServiceModule {
  const { clock, checkpointSigner: signer, checkpointCopy: copy } = deps;
  const settings = config;
  const telemetry = createTelemetry(deps.logger, deps.metrics);
  const codec = { decode: decodeRecord };
  const log = createArchiveLog(deps.eventLog);
  const links = createLinkStore(deps.store);
  const contents = createContentStore(deps.store);
  const checkpoints = createCheckpointStore(deps.store);
  const file = createFileContents({ contents, codec, clock });
  const archive = createArchiveRecords({ links, contents, file, telemetry });
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

  return {
    name: 'archiving',
    services: [
      archiveService({
        getStatus: createGetStatus({ log, links, contents, checkpoints, policy, telemetry }),
        verify: createVerify({
          ...{ links, contents, checkpoints, copy, signer, codec, clock, settle, settings, telemetry },
        }),
      }),
    ],
    async start() {
      await consumer.start();
      await keeper.start();
      await sealer.start();
    },
    async stop() {
      await sealer.stop();
      await consumer.stop();
      await keeper.stop();
    },
  };
}
