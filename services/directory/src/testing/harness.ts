import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary } from '@bufbuild/protobuf';
import { createKeyRing, createPersonTokenSigner, createPersonTokenVerifier, generateKeyPem } from '@parley/auth';
import { createMemoryBus, subjects } from '@parley/bus';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService, type SignInResponse } from '@parley/contracts/directory/v1/auth';
import { type DirectoryChanged, DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import { type CallContext, createCallContext, ParleyError, type PersonPrincipal } from '@parley/rpc';
import { createHealth, createMetrics, type LogFields, type Logger, systemIds } from '@parley/runtime';
import type { CollectionSpec, Doc, Store } from '@parley/store';
import { openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { accounts, signIns } from '../collections.ts';
import { newAccount } from '../domain/account.ts';
import { roleNames } from '../domain/roles.ts';
import { newSignIn } from '../domain/sign-in.ts';
import { createDirectory, directoryCollections, directoryConfigSchema } from '../index.ts';
import { wrapStore } from './stores.ts';

export const goodPassword = 'correct horse battery';

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

/** A directory on a database in memory, with cheap hashing and a clock that stands still. */
export async function startDirectory(
  settings: Record<string, unknown> = {},
  wrap: (store: Store) => Store = s => s,
  open: (clock: ManualClock) => Promise<Store> = openInMemory,
) {
  const clock = new ManualClock();
  const store = await open(clock);
  await store.migrate(directoryCollections);
  await store.collection(accounts).insert(root);
  await store.collection(signIns).insert(rootSignIn);
  const bus = createMemoryBus({ clock });
  const changes: { readonly personId: string; readonly event: DirectoryChanged }[] = [];
  bus.subscribe(subjects.allDirectoryChanged, message => {
    const event = fromBinary(DirectoryChangedSchema, message.data);
    changes.push({ personId: message.subject.split('.')[2] as string, event });
  });
  const log: LogLine[] = [];
  const metrics = createMetrics();
  const health = createHealth();
  const keyRing = createKeyRing({ pems: [generateKeyPem().privatePem], clock });
  const issuer = 'parley';
  const config = directoryConfigSchema.parse({
    domains: ['hospital.example', 'klinik-süd.example'],
    hashMemoryKiB: 8,
    hashPasses: 1,
    ...settings,
  });
  const signer = createPersonTokenSigner(keyRing, { issuer, clock, lifetimeMs: config.accessTokenLifetimeMs });
  const verifier = createPersonTokenVerifier({ issuer, keySet: keyRing.provider(), clock });
  const refreshKey = systemIds.bytes(32);
  const logger = recorder(log);
  const deps = { clock, ids: systemIds, logger, metrics, health, bus, keyRing, signer, refreshKey };
  const module = createDirectory(config, { ...deps, store: wrap(store) });
  /** Another replica on the same database. */
  const replica = (more: Record<string, unknown> = {}, wrapped: Store = store) =>
    createDirectory({ ...config, ...more }, { ...deps, store: wrapped });
  await module.start();

  async function call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
    context: CallContext = createCallContext(),
    target = module,
  ): Promise<MessageShape<M['output']>> {
    const mounted = target.services.find(s => s.desc.typeName === method.parent.typeName);
    const handler = mounted?.impl[method.localName] as (r: unknown, c: CallContext) => Promise<never>;
    return create(method.output, await handler(create(method.input, request), context)) as MessageShape<M['output']>;
  }

  async function signIn(address: string, password = goodPassword, peer = '192.0.2.1'): Promise<SignInResponse> {
    return call(AuthService.method.signIn, { address, password }, createCallContext({ peer }));
  }

  /** The context of whoever holds this access token. */
  async function as(accessToken: string): Promise<CallContext> {
    return createCallContext({ principal: await verifier.verify(accessToken), token: accessToken });
  }

  /** Makes a person and returns the id. */
  async function person(address: string, more: { roles?: Role[]; password?: string; name?: string } = {}) {
    const response = await call(
      DirectoryAdminService.method.createPerson,
      {
        requestId: systemIds.uuid(),
        address,
        displayName: more.name ?? (address.split('@')[0] as string),
        initialPassword: more.password ?? goodPassword,
        roles: more.roles ?? [],
      },
      administrator(),
    );
    return response.account?.person?.id as string;
  }

  return {
    ...{
      module,
      replica,
      call,
      signIn,
      as,
      person,
      clock,
      bus,
      changes,
      log,
      metrics,
      health,
      store,
      verifier,
      keyRing,
    },
    collection: <T extends Doc>(spec: CollectionSpec<T>) => store.collection(spec),
    async close() {
      await module.stop();
      await bus.close();
      await store.close();
    },
  };
}

export type Directory = Awaited<ReturnType<typeof startDirectory>>;

async function openInMemory(clock: ManualClock): Promise<Store> {
  const stores = openMemoryStore({ clock, sweepEveryMs: 2 ** 31 - 1 });
  return wrapStore(
    stores.store('directory'),
    (_name, _collection, call) => call,
    () => stores.close(),
  );
}

// Holds every role, and counts nowhere: there is an account, but no person.
const root = {
  _id: 'root',
  ...newAccount({ roles: roleNames, password: null, passwordChangeRequired: false, version: 1 }),
};
const rule = { idleMs: 2 ** 52, absoluteMs: 2 ** 52, graceMs: 0 };
const rootSignIn = {
  _id: 'root',
  ...newSignIn({ personId: 'root', epoch: 1, deviceLabel: '', currentHash: new Uint8Array(32) }, 0, rule),
};

/** Somebody whose token has these roles. */
export function administrator(roles: readonly Role[] = [Role.ADMINISTRATOR]): CallContext {
  const principal: PersonPrincipal = {
    kind: 'person',
    id: 'root',
    signInId: 'root',
    roles,
    tokenExpiresMs: Number.MAX_SAFE_INTEGER,
    passwordChangeRequired: false,
  };
  return createCallContext({ principal });
}

/** For `assert.rejects`: a refusal with this code, and field if given. */
export function refusal(code: string, field?: string) {
  return (error: unknown) => {
    if (!(error instanceof ParleyError)) throw error;
    if (error.code !== code) throw new Error(`refused with ${error.code} (${error.message}) instead of ${code}`);
    if (field !== undefined && error.field !== field) throw new Error(`names ${error.field} instead of ${field}`);
    return true;
  };
}

function recorder(lines: LogLine[]): Logger {
  const write = (event: string, fields: LogFields & { err?: unknown } = {}) => void lines.push({ event, fields });
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  return logger;
}
