import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { createMemoryBus } from '@parley/bus';
import { type ArchiveRecord, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import {
  GetHistoryRequestSchema,
  type ImEvent,
  ImEventSchema,
  MessageContentSchema,
  SendMessageRequestSchema,
  SyncRequestSchema,
} from '@parley/contracts/im/v1/im';
import { createEventLogFaults, createSqliteEventLog, type EventLog } from '@parley/event-log';
import { createCallContext, type ServiceModule } from '@parley/rpc';
import { createHealth, createLogger, createMetrics, type Ids, systemIds } from '@parley/runtime';
import type { Store } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { type ImConfig, imConfigSchema } from '../config.ts';
import { createIm, imCollections, imTopicsFor } from '../index.ts';
import { FakeDirectory } from './fake-directory.ts';
import { faultyStore, type StoreFaults, type StoreReads } from './faulty-store.ts';

type Handler = (request: unknown, context: unknown) => Promise<unknown>;
const UUID = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export interface Answer {
  readonly eventId: string;
  readonly conversationId: string;
  readonly key: string;
  readonly acceptedMs: bigint;
  readonly replayed: boolean;
}

/** One replica of the service. */
export interface Replica {
  readonly module: ServiceModule;
  readonly faults: StoreFaults;
  readonly reads: StoreReads;
  send(
    sender: string,
    recipient: string,
    text: string,
    more?: MessageInitShape<typeof SendMessageRequestSchema>,
  ): Promise<Answer>;
  sync(
    person: string,
    request?: MessageInitShape<typeof SyncRequestSchema>,
  ): Promise<{ events: ImEvent[]; nextPage: string; cursor: string; complete: boolean }>;
  history(
    person: string,
    request: MessageInitShape<typeof GetHistoryRequestSchema>,
  ): Promise<{ events: ImEvent[]; nextCursor: string; conversationId: string }>;
  metric(name: string): Promise<number>;
}

/** A service with everything real but the directory, on a clock that stands still. */
export async function createWorld(config: Partial<ImConfig> = {}) {
  const clock = new ManualClock();
  const stores = openMemoryStore({ clock });
  const logFaults = createEventLogFaults();
  const log: EventLog = createSqliteEventLog({ writer: stores.writer, clock, faults: logFaults });
  const bus = createMemoryBus({ clock });
  const directory = new FakeDirectory();
  const settings = imConfigSchema.parse({ lagCheckMs: 600, relayEveryMs: 1_000, ...config });
  const store: Store = stores.store('im');
  await store.migrate(imCollections);
  await log.createTopics(imTopicsFor(settings));
  const published: { subject: string; event: ImEvent }[] = [];
  bus.subscribe('im.*', message =>
    published.push({ subject: message.subject, event: fromBinary(ImEventSchema, message.data) }),
  );
  directory.add('ann');
  directory.add('bob');
  directory.add('cleo', 'archived');
  directory.add('dora', 'critical');
  const replicas: Replica[] = [];
  let messages = 0;

  async function replica(ids: Ids = systemIds): Promise<Replica> {
    const metrics = createMetrics({ defaults: false });
    const faults: StoreFaults = {};
    const reads: StoreReads = { getMany: 0, calls: 0 };
    const logger = createLogger({ level: 'silent', service: 'im' });
    const health = createHealth();
    const deps = {
      clock,
      ids,
      logger,
      metrics,
      health,
      bus,
      eventLog: log,
      channels: { directory: directory.channel },
    };
    const module = createIm(settings, { ...deps, store: faultyStore(store, faults, reads) });
    await module.start();
    const impl = module.services[0]?.impl as Readonly<Record<string, Handler>>;
    const call = (method: string, person: string, request: unknown) =>
      (impl[method] as Handler)(
        request,
        createCallContext({
          principal: {
            kind: 'person',
            id: person,
            signInId: 's',
            roles: [],
            tokenExpiresMs: 0,
            passwordChangeRequired: false,
          },
        }),
      );
    const made: Replica = {
      module,
      faults,
      reads,
      send: (sender, recipient, text, more = {}) =>
        call(
          'sendMessage',
          sender,
          create(SendMessageRequestSchema, {
            messageId: UUID(++messages),
            recipientId: recipient,
            content: create(MessageContentSchema, { text }),
            ...more,
          }),
        ) as Promise<Answer>,
      sync: (person, request = {}) => call('sync', person, create(SyncRequestSchema, request)) as never,
      history: (person, request) => call('getHistory', person, create(GetHistoryRequestSchema, request)) as never,
      metric: async name => {
        const line = (await metrics.render()).split('\n').find(l => l.startsWith(name));
        return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
      },
    };
    replicas.push(made);
    return made;
  }

  return {
    clock,
    log,
    logFaults,
    bus,
    directory,
    store,
    settings,
    published,
    replica,
    uuid: UUID,
    /** Everything in the archive log, partition by partition. */
    async archived(): Promise<ArchiveRecord[]> {
      const ends = await log.ends('archive');
      const all = await Promise.all(ends.map(end => log.read('archive', end.partition, end.low, 10_000)));
      return all.flat().map(record => fromBinary(ArchiveRecordSchema, record.value));
    },
    async close() {
      await Promise.all(replicas.map(each => each.module.stop()));
      await log.close();
      await stores.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Waits until `condition` holds, turn by turn of the event loop; fails after many of them. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (await condition()) return;
    await new Promise(resolve => setImmediate(resolve));
  }
  throw new Error(`${what} never came true`);
}
