import { setImmediate as turn } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { createMemoryBus, type MemoryBus, subjects } from '@parley/bus';
import type { Role } from '@parley/contracts';
import { DirectoryInternalService, type Principal } from '@parley/contracts/directory/v1/internal';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import { PresenceInternalService } from '@parley/contracts/presence/v1/internal';
import { PresenceService, type PresenceView, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import {
  type Channel,
  type Client,
  createCallContext,
  createClient,
  createInProcessChannel,
  createRegistry,
  type MountedService,
  ParleyError,
  type ServiceModule,
  service,
} from '@parley/rpc';
import { createHealth, createMetrics, type Health, type Logger, type Metrics, systemIds } from '@parley/runtime';
import type { Store } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { presenceCollections } from '../collections.ts';
import { type PresenceConfig, presenceConfigSchema } from '../config.ts';
import { createPresence } from '../module.ts';

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

/** A message on the bus. */
export interface Published {
  readonly personId: string;
  readonly level: string;
  readonly revision: number;
  readonly aclRevision: number;
  readonly view: PresenceView;
}

/** The directory as far as presence sees it. */
export interface FakeDirectory {
  readonly disabled: Set<string>;
  readonly unknown: Set<string>;
  readonly external: Set<string>;
  /** Roles held now; those that somebody signed in with, unless a test takes them away. */
  readonly roles: Map<string, readonly Role[]>;
  /** Version of every answer. */
  version: bigint;
  /** Thrown instead of an answer. */
  failure: Error | undefined;
  /** Ids of each question. */
  readonly asked: string[][];
  /** Called while a question is being answered. */
  meanwhile: (() => void) | undefined;
}

/** One replica. */
export interface Replica {
  readonly module: ServiceModule;
  readonly internal: Client<typeof PresenceInternalService>;
  readonly metrics: Metrics;
  readonly health: Health;
  as(personId: string, ...roles: readonly Role[]): Client<typeof PresenceService>;
  /** Sum of a counter's samples with these labels. */
  count(metric: string, labels?: string): Promise<number>;
}

export interface World extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly bus: MemoryBus;
  readonly store: Store;
  readonly directory: FakeDirectory;
  readonly published: Published[];
  /** Starts a replica on the same store and bus. */
  replica(config?: Partial<PresenceConfig>): Promise<Replica>;
  /** Lets time pass and what it triggers finish. */
  pass(ms: number): Promise<void>;
  /** Lets what was started finish. */
  settle(): Promise<void>;
  /** Availability numbers published for somebody, oldest first. */
  shown(personId: string): readonly number[];
}

export async function createWorld(wrapStore: (store: Store) => Store = store => store): Promise<World> {
  const clock = new ManualClock();
  const stores = openMemoryStore({ clock });
  const store = wrapStore(stores.store('presence'));
  await store.migrate(presenceCollections);
  const bus = createMemoryBus({ clock });
  const directory = fakeDirectory();
  const published: Published[] = [];
  bus.subscribe(subjects.allPresence, ({ subject, data }) => {
    const [, personId, level] = subject.split('.') as [string, string, string];
    const { revision, aclRevision, view } = fromBinary(PresenceEnvelopeSchema, data);
    const decoded = fromBinary(PresenceViewSchema, view);
    published.push({ personId, level, revision: Number(revision), aclRevision: Number(aclRevision), view: decoded });
  });
  const channels = { directory: channelTo([directory.service], 'presence', clock) };
  const modules: ServiceModule[] = [];

  async function settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await turn();
  }

  return {
    clock,
    bus,
    store,
    directory,
    published,
    settle,
    async replica(config = {}) {
      const metrics = createMetrics({ defaults: false });
      const health = createHealth();
      const settings = presenceConfigSchema.parse(config);
      const deps = { clock, ids: systemIds, logger: quiet, metrics, health, store, bus, channels };
      const module = createPresence(settings, deps);
      await module.start();
      modules.push(module);
      const session = channelTo(module.services, 'session', clock);
      return {
        module,
        metrics,
        health,
        internal: createClient(PresenceInternalService, session),
        as(personId, ...roles) {
          directory.roles.set(personId, roles);
          return personally(session, personId, roles);
        },
        async count(metric, labels = '') {
          const lines = (await metrics.render()).split('\n');
          const found = lines.filter(line => line.startsWith(`${metric}`) && line.includes(labels));
          return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
        },
      };
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= 2000) {
        await clock.advance(Math.min(left, 2000));
        await settle();
      }
    },
    shown: personId => published.filter(p => p.personId === personId).map(p => p.view.availability),
    async [Symbol.asyncDispose]() {
      for (const module of modules) await module.stop();
      await stores.close();
    },
  };
}

function channelTo(services: readonly MountedService[], as: string, clock: ManualClock): Channel {
  const authenticator = { authenticate: () => ({ kind: 'anonymous' }) as const };
  const metrics = createMetrics({ defaults: false });
  const registry = createRegistry({ authenticator, clock, ids: systemIds, logger: quiet, metrics, services });
  return createInProcessChannel(registry, { as, clock });
}

function personally(channel: Channel, id: string, roles: readonly Role[]): Client<typeof PresenceService> {
  const person = {
    kind: 'person',
    id,
    signInId: `sign-in-of-${id}`,
    roles,
    tokenExpiresMs: Number.MAX_SAFE_INTEGER,
    passwordChangeRequired: false,
  } as const;
  const context = createCallContext({ principal: person });
  return createClient(PresenceService, {
    unary: (method, request, options) => channel.unary(method, request, { ...options, context }),
    stream: channel.stream,
  });
}

function fakeDirectory(): FakeDirectory & { readonly service: MountedService } {
  const fake: FakeDirectory = {
    disabled: new Set(),
    unknown: new Set(),
    external: new Set(),
    roles: new Map(),
    version: 1n,
    failure: undefined,
    asked: [],
    meanwhile: undefined,
  };
  const answer = (
    id: string,
  ): Pick<Principal, 'id' | 'enabled' | 'internal' | 'version' | 'primaryAddress' | 'roles'> => ({
    id,
    enabled: !fake.disabled.has(id),
    internal: !fake.external.has(id),
    version: fake.version,
    primaryAddress: `${id}@corp.example`,
    roles: [...(fake.roles.get(id) ?? [])],
  });
  const mounted = service(DirectoryInternalService, {
    async getPrincipals({ ids }) {
      fake.asked.push(ids);
      if (fake.failure) throw fake.failure;
      const principals = ids.filter(id => !fake.unknown.has(id)).map(answer);
      fake.meanwhile?.();
      return { principals };
    },
    async checkSignIns() {
      return { ended: [] };
    },
  });
  return Object.assign(fake, { service: mounted });
}

/** For `assert.rejects`: a refusal with this code and, when given, this field. */
export function refusal(code: string, field?: string): (error: unknown) => boolean {
  return error => error instanceof ParleyError && error.code === code && (field === undefined || error.field === field);
}

/** A UUID that is the same for the same number. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
