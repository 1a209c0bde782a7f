import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  GetStatusRequestSchema,
  type GetStatusResponseSchema,
  type VerifyEventSchema,
  VerifyRequestSchema,
} from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { createEventLogFaults, createSqliteEventLog, type LogRecord } from '@parley/event-log';
import { type Channel, createCallContext, type ServiceModule } from '@parley/rpc';
import { createLogger, createMetrics } from '@parley/runtime';
import type { Collection, CollectionSpec, Doc } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { archiveCheckpoints, archiveContents, archiveLinks } from '../collections.ts';
import { type ArchivingConfig, archivingConfigSchema } from '../config.ts';
import { archivingCollections, createArchiving, createCheckpointCopy, createCheckpointSigner } from '../index.ts';

type VerifyEvent = NonNullable<MessageInitShape<typeof VerifyEventSchema>['event']>;
type Handler = (request: unknown, context: unknown, sink?: unknown) => Promise<unknown>;

export interface Verification {
  readonly result: Record<string, bigint | boolean>;
  readonly findings: { kind: number; linkId: string; detail: string }[];
  readonly records: { recordId: string; linkId: string; state: number; acceptedMs: bigint }[];
  readonly progress: { links: bigint; total: bigint }[];
}

export const newKey = (): { privatePem: string; publicPem: string } => {
  const pair = generateKeyPairSync('ed25519');
  return {
    privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
};

/** What the directory answers about everybody. */
const directory = {
  unary: async () => ({ effective: { policy: { archiveInternal: true, archiveExternal: true, critical: false } } }),
} as unknown as Channel;

export interface RecordInit {
  readonly id: string;
  readonly text?: string;
  readonly kind?: ArchiveRecordKind;
  readonly hash?: number;
  readonly conversation?: string;
}

export function recordOf({
  id,
  text = 'hi',
  kind = ArchiveRecordKind.IM_EVENT,
  hash = 1,
  conversation = 'd_1',
}: RecordInit) {
  return toBinary(
    ArchiveRecordSchema,
    create(ArchiveRecordSchema, {
      ...{
        version: 1,
        recordId: id,
        kind,
        conversationId: conversation,
        senderId: 'ann',
        recipientIds: ['ann', 'bob'],
      },
      ...{ key: '0000000000000abcde', acceptedMs: 1_767_600_000_000n, contentHash: new Uint8Array(32).fill(hash) },
      ...{ event: Buffer.from(text), decidedBy: 'global' },
    }),
  );
}

/** Archiving with everything real, on a clock that stands still. */
export async function createWorld(config: Partial<ArchivingConfig> = {}, partitions = 1) {
  const clock = new ManualClock();
  const stores = openMemoryStore({ clock });
  const logFaults = createEventLogFaults();
  let log = createSqliteEventLog({ writer: stores.writer, clock, faults: logFaults });
  const store = stores.store('archiving');
  await store.migrate(archivingCollections);
  await log.createTopics([{ name: 'archive', partitions }]);
  const dir = mkdtempSync(join(tmpdir(), 'parley-archive-'));
  const key = newKey();
  const signer = createCheckpointSigner(key.privatePem);
  const copy = createCheckpointCopy(dir);
  const metrics = createMetrics({ defaults: false });
  const settings = archivingConfigSchema.parse({ lingerMs: 0, trimKeepRecords: 0, copyGraceMs: 0, ...config });
  const modules: ServiceModule[] = [];
  let current: ServiceModule;

  const service = (more: { signer?: typeof signer } = {}) =>
    createArchiving(settings, {
      ...{ clock, metrics, store, eventLog: log, channels: { directory } },
      logger: createLogger({ level: 'silent', service: 'archiving' }),
      checkpointSigner: more.signer ?? signer,
      checkpointCopy: copy,
    });
  const context = (signal = new AbortController().signal) =>
    createCallContext({
      signal,
      principal: {
        kind: 'person',
        id: 'olga',
        signInId: 's',
        roles: [],
        tokenExpiresMs: 0,
        passwordChangeRequired: false,
      },
    });
  const impl = () => current.services[0]?.impl as Readonly<Record<string, Handler>>;

  async function committed(): Promise<number> {
    return [...(await log.committed('archive', 'archiving')).values()].reduce((sum, next) => sum + next, 0);
  }
  async function appended(): Promise<number> {
    return (await log.ends('archive')).reduce((sum, end) => sum + end.high, 0);
  }

  const world = {
    clock,
    get log() {
      return log;
    },
    logFaults,
    store,
    signer,
    copy,
    dir,
    key,
    settings,
    collection: <T extends Doc>(spec: CollectionSpec<T>): Collection<T> => store.collection(spec),
    async start(more?: { signer?: typeof signer }) {
      current = service(more);
      modules.push(current);
      await current.start();
    },
    stop: () => current.stop(),
    /** As after a restore: what was archived stands in chains of an epoch that is over. Archiving must be stopped. */
    async beginEpoch() {
      await stores.writer.write(db => void db.exec("UPDATE log_meta SET value = value + 65536 WHERE name = 'epoch'"));
      await log.close();
      log = createSqliteEventLog({ writer: stores.writer, clock, faults: logFaults });
    },
    async append(...records: readonly (RecordInit | Uint8Array)[]) {
      await log.append(
        'archive',
        records.map(r =>
          r instanceof Uint8Array ? { key: 'd_1', value: r } : { key: r.conversation ?? 'd_1', value: recordOf(r) },
        ),
      );
    },
    /** Resolves when all that was appended is archived. */
    archived: () => until(async () => (await committed()) === (await appended()), 'everything archived'),
    /** Lets time pass until there is another checkpoint. */
    async checkpoint() {
      const before = await checkpointCount();
      await until(async () => {
        await clock.advance(settings.checkpointMs / 4);
        return (await checkpointCount()) > before;
      }, 'a checkpoint');
    },
    async verify(
      request: MessageInitShape<typeof VerifyRequestSchema> = {},
      signal?: AbortSignal,
    ): Promise<Verification> {
      const found: Verification = { result: {}, findings: [], records: [], progress: [] };
      const sink = {
        queuedBytes: 0,
        onDrain: () => undefined,
        send({ event }: { event: VerifyEvent }) {
          if (event.case === 'finding') found.findings.push(event.value as never);
          else if (event.case === 'record') found.records.push(event.value as never);
          else if (event.case === 'progress') found.progress.push(event.value as never);
          else Object.assign(found.result, event.value);
        },
      };
      await (impl()['verify'] as Handler)(create(VerifyRequestSchema, request), context(signal), sink);
      return found;
    },
    status: () =>
      (impl()['getStatus'] as Handler)(create(GetStatusRequestSchema), context()) as Promise<
        Required<MessageInitShape<typeof GetStatusResponseSchema>>
      >,
    links: async () => (await store.collection(archiveLinks).scan('place', { limit: 10_000 })).docs,
    async content(id: string) {
      const doc = await store.collection(archiveContents).get(id);
      if (!doc) throw new Error(`no content ${id}`);
      return doc;
    },
    checkpoints: async () => (await store.collection(archiveCheckpoints).scan('place', { limit: 10_000 })).docs,
    /** Removes a checkpoint from the database, and unless told otherwise from the second place, too. */
    async forget(id: string, where: 'both' | 'database' = 'both') {
      const doc = await store.collection(archiveCheckpoints).get(id);
      await store.collection(archiveCheckpoints).delete(id);
      if (where === 'database') return;
      for (const name of readdirSync(dir)) {
        const lines = readFileSync(join(dir, name), 'utf8').split('\n');
        writeFileSync(join(dir, name), lines.filter(line => !line.includes(doc?.signature ?? '-')).join('\n'));
      }
    },
    /** Replaces a document behind archiving's back. */
    async tamper<T extends Doc>(spec: CollectionSpec<T>, id: string, change: (doc: T) => T) {
      const collection = store.collection(spec);
      const doc = (await collection.get(id)) as T;
      const result = await collection.replace(change(doc), doc._rev ?? 1);
      if (!result.replaced) throw new Error('not tampered');
    },
    async metric(name: string): Promise<number> {
      const line = (await metrics.render()).split('\n').find(l => l.startsWith(name));
      return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
    },
    records: async (): Promise<readonly LogRecord[]> => log.read('archive', 0, 0, 10_000),
    async close() {
      await Promise.all(modules.map(module => module.stop()));
      await log.close();
      await stores.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  const checkpointCount = async () => (await world.checkpoints()).length;
  return world;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

const PATIENCE_MS = 10_000;

/** Waits until `condition` holds, turn by turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    if (await condition()) return;
    await new Promise(resolve => setImmediate(resolve));
  }
  throw new Error(`${what} never came true`);
}
