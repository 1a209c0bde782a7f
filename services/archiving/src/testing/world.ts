import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import {
  type ArchivedItem,
  type ArchiveQuerySchema,
  type AuditEntry,
  ExportRequestSchema,
  GetStatusRequestSchema,
  type GetStatusResponseSchema,
  ListEntriesRequestSchema,
  SearchRequestSchema,
  type SearchResponseSchema,
  VerifyEntriesRequestSchema,
  type VerifyEventSchema,
  VerifyRequestSchema,
  ViewRequestSchema,
  type ViewResponseSchema,
} from '@parley/contracts/archive/v1/archive';
import { createEventLogFaults, createSqliteEventLog, type LogRecord } from '@parley/event-log';
import { type Channel, createCallContext, type ServiceModule } from '@parley/rpc';
import { createLogger, createMetrics, systemIds } from '@parley/runtime';
import type { Collection, CollectionSpec, Doc } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { archiveCheckpoints, archiveContents, archiveLinks } from '../collections.ts';
import { type ArchivingConfig, archivingConfigSchema } from '../config.ts';
import {
  archivingCollections,
  type CheckpointCopy,
  type CheckpointSigner,
  createArchiving,
  createCheckpointCopy,
  createCheckpointSigner,
} from '../index.ts';
import type { Standing } from '../ports/standings.ts';
import { type RecordInit, recordOf } from './records.ts';

export type Item = Omit<ArchivedItem, '$typeName'>;

/** An export in memory. */
export interface Exported {
  readonly files: Map<string, Buffer>;
  readonly result: { records: bigint; files: bigint; manifestHash: string; auditId: string };
}

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

/** Somebody in the directory; `former` addresses lead to him. */
export interface Known {
  readonly id: string;
  readonly primaryAddress: string;
  readonly displayName: string;
  readonly former?: readonly string[];
}

/** Held by everybody whose standing a test does not set. */
const EVERY_ROLE: Standing = {
  enabled: true,
  roles: Object.values(Role).filter(role => typeof role === 'number'),
};

/** A directory of a few people; `down` makes it silent. */
function createDirectory() {
  const state = { people: [] as Known[], down: false, standings: new Map<string, Standing>(), asked: 0 };
  const channel = {
    async unary({ name }: { name: string }, request: { ids?: string[]; addresses?: string[] }) {
      if (state.down) throw new Error('the directory is down');
      if (name === 'GetPrincipals') {
        state.asked++;
        return {
          principals: (request.ids ?? []).map(id => ({ id, ...(state.standings.get(id) ?? EVERY_ROLE) })),
        };
      }
      if (name !== 'GetPeople') {
        const policy = { archiveInternal: true, archiveExternal: true, critical: false };
        return { effective: { policy }, peopleWithOwnPolicy: 3n };
      }
      const { ids = [], addresses = [] } = request;
      const wanted = ({ id, primaryAddress, former = [] }: Known) =>
        ids.includes(id) || [primaryAddress, ...former].some(address => addresses.includes(address));
      return { people: state.people.filter(wanted) };
    },
  } as unknown as Channel;
  return { state, channel };
}

/** What a test puts in place of what the world has. */
export interface Replacements {
  readonly signer?: CheckpointSigner;
  readonly auditCopy?: CheckpointCopy;
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
  const auditCopy = createCheckpointCopy(join(dir, 'audit'));
  const metrics = createMetrics({ defaults: false });
  const settings = archivingConfigSchema.parse({
    ...{ lingerMs: 0, trimKeepRecords: 0, copyGraceMs: 0, indexMs: 20, indexDelayMs: 0 },
    ...config,
  });
  const modules: ServiceModule[] = [];
  const directory = createDirectory();
  let current: ServiceModule;

  const service = (more: Replacements = {}) =>
    createArchiving(settings, {
      ...{
        clock,
        ids: systemIds,
        metrics,
        store,
        eventLog: log,
        channels: { directory: directory.channel },
        version: '1.2.3',
      },
      logger: createLogger({ level: 'silent', service: 'archiving' }),
      checkpointSigner: more.signer ?? signer,
      checkpointCopy: copy,
      auditCopy: more.auditCopy ?? auditCopy,
    });
  const context = (signal = new AbortController().signal, id = 'olga') =>
    createCallContext({
      signal,
      peer: '192.0.2.7',
      principal: {
        kind: 'person',
        id,
        signInId: 's',
        roles: [],
        tokenExpiresMs: 0,
        passwordChangeRequired: false,
      },
    });
  const impl = () => current.services[0]?.impl as Readonly<Record<string, Handler>>;
  const handler = (service: number, method: string) =>
    (current.services[service]?.impl as Readonly<Record<string, Handler>> | undefined)?.[method] as Handler;
  const purpose = { caseId: 'HR-2026-014', reason: 'complaint of 2 January' };

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
    async start(more?: Replacements) {
      current = service(more);
      modules.push(current);
      await current.start();
    },
    stop: () => current.stop(),
    /** Another replica of the service, that only answers. */
    async replica() {
      const other = service();
      const search = (other.services[1]?.impl as Readonly<Record<string, Handler>> | undefined)?.['search'] as Handler;
      return { search: () => search(create(SearchRequestSchema, { purpose }), context()) };
    },
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
    /** Calls a unary method of the archive service. */
    ask: async <T>(method: string, message: object) => (await handler(0, method)(message, context())) as T,
    directory: directory.state,
    auditCopy,
    search: (request: MessageInitShape<typeof SearchRequestSchema> = {}, signal?: AbortSignal, by?: string) =>
      handler(1, 'search')(
        create(SearchRequestSchema, { purpose, ...request } as typeof request),
        context(signal, by),
      ) as Promise<Required<MessageInitShape<typeof SearchResponseSchema>> & { items: Item[] }>,
    /** Texts that a search finds. */
    async texts(query: MessageInitShape<typeof ArchiveQuerySchema>): Promise<string[]> {
      return (await world.search({ query })).items.map(item => item.text);
    },
    view: (request: MessageInitShape<typeof ViewRequestSchema>) =>
      handler(1, 'view')(create(ViewRequestSchema, { purpose, ...request } as typeof request), context()) as Promise<
        Required<MessageInitShape<typeof ViewResponseSchema>> & { items: Item[] }
      >,
    /** Exports into memory; `onEvent` sees each event before it is kept. */
    async export(
      request: MessageInitShape<typeof ExportRequestSchema>,
      { signal, onEvent, slow }: { signal?: AbortSignal; onEvent?: (kind: string) => void; slow?: () => void } = {},
    ): Promise<Exported> {
      const files = new Map<string, Buffer>();
      let [path, result] = ['', undefined as Exported['result'] | undefined];
      const sink = {
        queuedBytes: slow ? 1_000_000 : 0,
        onDrain(drained: () => void) {
          slow?.();
          setImmediate(drained);
        },
        send({ event }: { event: { case: string; value: unknown } }) {
          onEvent?.(event.case);
          if (event.case === 'file') {
            ({ path } = event.value as { path: string });
            files.set(path, Buffer.alloc(0));
          } else if (event.case === 'data')
            files.set(path, Buffer.concat([files.get(path) as Buffer, event.value as Uint8Array]));
          else if (event.case === 'result') result = event.value as Exported['result'];
        },
      };
      await handler(1, 'export')(
        create(ExportRequestSchema, { purpose, ...request } as typeof request),
        context(signal),
        sink,
      );
      return { files, result: result as Exported['result'] };
    },
    entries: async (request: MessageInitShape<typeof ListEntriesRequestSchema> = {}) =>
      (await handler(2, 'listEntries')(create(ListEntriesRequestSchema, request), context(undefined, 'audra'))) as {
        entries: AuditEntry[];
        nextCursor: string;
      },
    verifyEntries: () =>
      handler(2, 'verifyEntries')(create(VerifyEntriesRequestSchema), context(undefined, 'audra')) as Promise<{
        intact: boolean;
        entries: bigint;
        checkpointed: bigint;
        findings: string[];
      }>,
    /** Lets time pass until everything that is archived is in the index. */
    async indexed() {
      await world.archived();
      await until(async () => {
        await clock.advance(settings.indexMs);
        return (await world.status()).notIndexed === 0n;
      }, 'everything indexed');
    },
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
