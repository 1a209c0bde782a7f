import {
  createAuthenticator,
  createPersonTokenVerifier,
  createServiceTokenSource,
  createServiceTokenVerifier,
} from '@parley/auth';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import {
  type Channel,
  createChannelEvents,
  createClient,
  createGrpcChannel,
  createGrpcServer,
  createInProcessChannel,
  createRegistry,
  createTokenBuckets,
  createWebServer,
  type Registry,
  type ServiceModule,
} from '@parley/rpc';
import {
  type Clock,
  createAdminServer,
  createHealth,
  type Health,
  type Ids,
  type Logger,
  type Metrics,
  type Module,
} from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import { personKeyRing, TOKEN_ISSUER } from './key-material.ts';
import { watchKeys } from './key-watch.ts';
import type { Keys } from './keys.ts';
import { lastBackup } from './last-backup.ts';
import { processTls } from './process-tls.ts';
import type { TargetName } from './routes.ts';
import { startOrder, TARGETS } from './targets.ts';
import type { Topology } from './topology.ts';
import { traceProcess } from './tracing/trace-process.ts';
import { webClientRoutes } from './web-client.ts';

/** What the process is made of. */
export interface ProcessDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keys: Keys;
  readonly topology: Topology;
}

/** A process put together, not started. */
export interface ParleyProcess {
  /** Everything with a life cycle, in the order to start. */
  readonly modules: readonly Module[];
  readonly health: Health;
  readonly registry: Registry;
  /** Looks for new key files now. */
  readonly reloadKeys: () => void;
  /** Looks for renewed certificates now; undefined where nothing has TLS. */
  readonly reload: (() => void) | undefined;
  /** A channel as another service would have it; for commands that work on a stopped installation. */
  channel(from: string, to: TargetName): Channel;
}

/** Puts the configured services together: local calls where the callee runs here, gRPC where it does not. */
export async function assemble(config: ParleyConfig, deps: ProcessDeps): Promise<ParleyProcess> {
  const { clock, ids, logger, metrics, keys, topology } = deps;
  const health = createHealth();
  const here = new Set(config.targets);
  const remote = new Map<string, Channel & { close(): void | Promise<void> }>();

  const tls = await processTls(config, deps);
  const traced = await traceProcess(config, deps);

  const { callTimeoutMs, callAttempts, callHedgeMs, callsInFlight, circuitOpenMs, resolveMs } = config.services;
  const channelEvents = createChannelEvents({ metrics, logger });

  /** Calls to other processes carry a token of the calling service; a token is read only when there are such calls. */
  function remoteChannel(from: string, to: TargetName): Channel {
    const key = `${from}>${to}`;
    let channel = remote.get(key);
    if (!channel) {
      const targets = config.services[to];
      if (targets.length === 0)
        throw new Error(`services.${to}: ${to} does not run in this process; name its addresses`);
      const source = createServiceTokenSource({ service: from, privateKeyPem: () => keys.servicePem(from), clock });
      channel = createGrpcChannel({
        target: targets,
        clock,
        serviceTokens: () => source.token(),
        events: channelEvents(to),
        defaultTimeoutMs: callTimeoutMs,
        attempts: callAttempts,
        hedgeMs: callHedgeMs,
        maxInFlight: callsInFlight,
        circuitOpenMs,
        resolveMs,
        ...tls.towards,
      });
      remote.set(key, channel);
    }
    return channel;
  }

  const registry: Registry = createRegistry({
    authenticator: createAuthenticator({
      person: createPersonTokenVerifier({ issuer: TOKEN_ISSUER, keySet: keySet(), clock }),
      service: createServiceTokenVerifier({ publicKeys: () => keys.servicePublicPems(), clock }),
    }),
    clock,
    ids,
    logger,
    metrics,
    tracing: traced.on,
    limits: {
      person: createTokenBuckets({
        ratePerSecond: config.public.callsPerPersonPerSecond,
        burst: config.public.callsPerPersonPerSecond * 2,
        clock,
        maxKeys: 200_000,
      }),
      peer: createTokenBuckets({
        ratePerSecond: config.public.callsPerPeerPerSecond,
        burst: config.public.callsPerPeerPerSecond * 2,
        clock,
        maxKeys: 200_000,
      }),
    },
  });
  const channel = (from: string, to: TargetName): Channel =>
    here.has(to) ? createInProcessChannel(registry, { as: from, clock }) : remoteChannel(from, to);

  function keySet() {
    if (here.has('directory')) return personKeyRing(keys, clock).provider();
    const [caller] = config.targets;
    return async () => {
      const auth = createClient(AuthService, remoteChannel(caller as string, 'directory'));
      const { jwksJson, maxAgeSeconds } = await auth.getKeySet({});
      return { jwksJson, maxAgeMs: maxAgeSeconds * 1000 };
    };
  }

  const services: ServiceModule[] = [];
  const streaming: ServiceModule[] = [];
  for (const name of startOrder(config.targets)) {
    const module = TARGETS[name].create(config, {
      clock,
      ids,
      logger: logger.child({ component: name }),
      metrics,
      health,
      store: await topology.store(name),
      bus: traced.bus,
      eventLog: traced.eventLog,
      channel: to => channel(name, to),
      keys,
    });
    registry.mount(module.services);
    (TARGETS[name].holdsStreams ? streaming : services).push(module);
  }

  let started = false;
  health.register('process', () => (started ? { ok: true } : { ok: false, detail: 'not everything is started' }));
  const ready: Module = {
    name: 'ready',
    start: async () => void (started = true),
    stop: async () => void (started = false),
  };
  const backends: Module = {
    name: 'backends',
    start: async () =>
      void health.register('bus', () =>
        topology.bus.connected ? { ok: true } : { ok: false, detail: 'the bus is not connected' },
      ),
    async stop() {
      for (const open of remote.values()) await open.close();
      await topology.close();
    },
  };
  const admin = createAdminServer({ ...listening(config.admin), ...tls.of('admin'), health, metrics });
  const { reflection, maxConnectionAgeMs } = config.grpc;
  const grpc = createGrpcServer({
    ...{ registry, clock, logger, health, reflection, maxConnectionAgeMs },
    ...listening(config.grpc),
    ...tls.of('grpc'),
  });
  const web = createWebServer({
    registry,
    clock,
    logger,
    metrics,
    ...listening(config.public),
    ...tls.of('public'),
    hstsSeconds: config.public.tls.hstsSeconds,
    cors: { origins: config.public.corsOrigins },
    trustProxy: config.public.trustProxy,
    routes: webClientRoutes(),
  });
  const backups = lastBackup({ dataDir: config.dataDir, clock, metrics });
  const keyFiles = watchKeys({ keys, clock, logger, metrics, reloadMs: config.keysReloadMs });
  const modules = [
    ...traced.modules,
    backends,
    backups,
    keyFiles,
    ...tls.watches,
    admin,
    ...services,
    grpc,
    web,
    ...streaming,
    ready,
  ];
  return { modules, health, registry, channel, reloadKeys: keyFiles.reload, reload: tls.reload };
}

const listening = ({ host, port }: { readonly host: string; readonly port: number }) => ({ host, port });
