import type { KeyRing, PersonTokenSigner } from '@parley/auth';
import type { Bus } from '@parley/bus';
import { createTokenBuckets, type ServiceModule } from '@parley/rpc';
import type { Clock, Health, Ids, Logger, Metrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { createPasswordHasher } from './adapters/argon2/password-hasher.ts';
import { createAccessTokens } from './adapters/auth/access-tokens.ts';
import { createAnnouncements } from './adapters/bus/announcements.ts';
import { rehearsal } from './adapters/rehearsal/rehearsal.ts';
import type { Call } from './app/call.ts';
import { type Ensured, type EnsurePersonCommand, ensurePerson } from './app/ensure-person.ts';
import type { ImportPersonRow } from './app/import/check-row.ts';
import { type ImportFileOptions, importFile } from './app/import/import-file.ts';
import type { ImportOutcome } from './app/import/import-people.ts';
import { countAdministrators, deleteAmong, enabledAmong } from './app/installation.ts';
import { createPasswordGuard } from './app/password-guard.ts';
import { getEffectivePolicy } from './app/policies.ts';
import { createStanding } from './app/standing.ts';
import { createVersions } from './app/versions.ts';
import * as collections from './collections.ts';
import type { DirectoryConfig } from './config.ts';
import { organisationDomains } from './domain/organisation.ts';
import type { ArchivingPolicy } from './domain/policy.ts';
import { createDirectoryEvents } from './events.ts';
import type { Records } from './ports/records.ts';
import { adminService } from './rpc/admin-service.ts';
import { authService } from './rpc/auth-service.ts';
import { directoryService } from './rpc/directory-service.ts';
import { internalService } from './rpc/internal-service.ts';
import { policyService } from './rpc/policy-service.ts';

/** What the directory is given. */
export interface DirectoryDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly bus: Bus;
  readonly keyRing: Pick<KeyRing, 'jwksJson'>;
  /** Its lifetime should be `accessTokenLifetimeMs` of the configuration. */
  readonly signer: PersonTokenSigner;
  /** At least 32 bytes, the same in every replica, kept outside the database. */
  readonly refreshKey: Uint8Array;
}

/** The service, and what the installation itself may ask of it in process. */
export interface DirectoryModule extends ServiceModule {
  /** The person the address leads to, made if there is none; gives him the roles that he lacks. */
  ensurePerson(command: EnsurePersonCommand): Promise<Ensured>;
  /**
   * Any number of people, as ImportPeople does it, in an order in which managers come first. Outcomes are in the order
   * of the rows. `passwordChangeRequired` (default true) is for those made with a password.
   */
  importPeople(rows: readonly ImportPersonRow[], options?: ImportFileOptions): Promise<readonly ImportOutcome[]>;
  /** As `ensurePerson`, with the role of an administrator. Somebody who was disabled stays so. */
  ensureAdministrator(command: Omit<EnsurePersonCommand, 'roles'>): Promise<Ensured>;
  /** How many enabled administrators there are. */
  countAdministrators(): Promise<number>;
  /** Those of the addresses whose people may sign in. */
  enabledAmong(addresses: readonly string[]): Promise<readonly string[]>;
  /** Deletes the people of these addresses and returns who was deleted. The last administrator is refused. */
  deleteAmong(addresses: readonly string[]): Promise<readonly string[]>;
  /** The policy that applies to everybody who has none of his own. */
  globalArchiving(): Promise<ArchivingPolicy>;
}

export function createDirectory(config: DirectoryConfig, deps: DirectoryDeps): DirectoryModule {
  if (deps.refreshKey.length < 32) throw new Error('the refresh key must have at least 32 bytes');
  const needs = createNeeds(config, deps);
  const installation: Call = { requestId: 'installation', traceparent: undefined, peer: 'in-process' };
  let unregister = () => {};
  return {
    name: 'directory',
    services: [
      authService(needs),
      directoryService(needs),
      adminService(needs),
      policyService(needs),
      internalService(needs),
    ],
    async start() {
      unregister();
      unregister = deps.health.register('directory.store', () =>
        deps.store.connected ? { ok: true } : { ok: false, detail: 'the database cannot be reached' },
      );
    },
    async stop() {
      unregister();
      unregister = () => {};
    },
    importPeople: (rows, options) => importFile(needs, rows, options, installation),
    ensurePerson: command => ensurePerson(needs, command, installation),
    ensureAdministrator: command => ensurePerson(needs, { ...command, roles: ['administrator'] }, installation),
    countAdministrators: () => countAdministrators(needs),
    enabledAmong: addresses => enabledAmong(needs, addresses),
    deleteAmong: addresses => deleteAmong(needs, addresses, installation),
    globalArchiving: async () => (await getEffectivePolicy(needs, { kind: 'global' })).policy,
  };
}

function createNeeds(config: DirectoryConfig, deps: DirectoryDeps) {
  const { clock, ids } = deps;
  const events = createDirectoryEvents(deps);
  const records = recordsOf(deps.store);
  const fallbackPolicy = {
    archiveInternal: config.archiveInternal,
    archiveExternal: config.archiveExternal,
    critical: config.archiveCritical,
  };
  const hasher = createPasswordHasher({
    cost: { memoryKiB: config.hashMemoryKiB, passes: config.hashPasses, parallelism: config.hashParallelism },
    concurrency: config.hashConcurrency,
    queue: config.hashQueue,
    clock,
    ids,
    events,
  });
  const lockoutRule = {
    attempts: config.lockoutAttempts,
    windowMs: config.lockoutWindowMs,
    durationMs: config.lockoutDurationMs,
  };
  const perMinute = (rate: number) => createTokenBuckets({ ratePerSecond: rate / 60, burst: rate, clock });
  const changing = {
    clock,
    ids,
    fallbackPolicy,
    domains: organisationDomains(config.domains),
    claimTakeoverMs: config.claimTakeoverMs,
  };
  return {
    ...records,
    ...changing,
    events,
    hasher,
    searchScanLimit: config.searchScanLimit,
    signInsPerPerson: config.signInsPerPerson,
    keySetMaxAgeMs: config.keySetMaxAgeMs,
    refreshKey: deps.refreshKey,
    refreshRule: {
      idleMs: config.refreshIdleMs,
      absoluteMs: config.refreshAbsoluteMs,
      graceMs: config.refreshGraceMs,
    },
    accessTokens: createAccessTokens(deps.signer, deps.keyRing),
    announcements: createAnnouncements(deps.bus),
    versions: createVersions({ ...records, fallbackPolicy }),
    passwords: createPasswordGuard({ ...records, clock, hasher, lockoutRule, events }),
    standing: createStanding({ ...records, clock, events, standingMaxAgeMs: config.standingMaxAgeMs }),
    addressRate: perMinute(config.signInsPerAddressPerMinute),
    peerRate: perMinute(config.signInsPerPeerPerMinute),
    refreshRate: perMinute(config.refreshesPerMinute),
    rehearsal() {
      const rehearsed = rehearsal(records);
      return { ...changing, ...rehearsed, versions: createVersions({ ...rehearsed, fallbackPolicy }) };
    },
  };
}

function recordsOf(store: Store): Records {
  return {
    people: store.collection(collections.people),
    accounts: store.collection(collections.accounts),
    addresses: store.collection(collections.addresses),
    signIns: store.collection(collections.signIns),
    attempts: store.collection(collections.attempts),
    guards: store.collection(collections.guards),
    photos: store.collection(collections.photos),
    externalIds: store.collection(collections.externalIds),
    groups: store.collection(collections.groups),
    memberships: store.collection(collections.memberships),
    policies: store.collection(collections.policies),
    storeNow: () => store.now(),
  };
}
