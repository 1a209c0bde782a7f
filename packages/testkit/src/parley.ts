import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { createAuthority, type TestAuthority } from './certificates.ts';
import { freePorts } from './ports.ts';
import { type ProductProcess, productProcess } from './process.ts';
import { until } from './wait.ts';

/** The two ways to run Parley. */
export type TopologyName = 'standalone' | 'pool';

/** The servers a pool stands on. */
export interface PoolBackends {
  readonly natsUrl: string;
  readonly kafkaBrokers: readonly string[];
  readonly mongoUrl: string;
}

/** How to start the product for a test. */
export interface StartOptions {
  readonly topology: TopologyName;
  /** Needed for a pool. */
  readonly backends?: PoolBackends;
  /** Replicas of each service of a pool, or of some; default 2. */
  readonly replicas?: number | Readonly<Partial<Record<ServiceName, number>>>;
  /**
   * Replicas of each service of a pool that are not started: their addresses are known to the others and to the load
   * balancer, as those of a name that an orchestrator fills, and they take part as soon as a test starts them.
   */
  readonly spares?: number;
  /** Configuration over the defaults, as in the YAML file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Variables of one process on top of those of all, by its name, for example `im-2`. */
  readonly env?: (name: string) => Readonly<Record<string, string>>;
  /** Connections the load balancer of a pool takes at once; default 4,000. */
  readonly maxConnections?: number;
  /**
   * Fills the installation before it starts, in place of `init`, `migrate` and `create-administrator`: from a backup, for
   * example. Gets what runs `bin/parley` with its configuration.
   */
  readonly prepare?: (parley: ParleyUnderTest['parley'], dir: string) => Promise<void>;
  /** Who is administrator after `prepare`. */
  readonly administrator?: ParleyUnderTest['administrator'];
  /** Whether every listener that clients and services use is TLS, by an authority of its own. Default false. */
  readonly tls?: boolean;
  /** Path of the checkout or package that holds `bin/parley`; default: this one. */
  readonly home?: string;
}

/** The whole product, running. */
export interface ParleyUnderTest {
  readonly topology: TopologyName;
  /** Where clients connect with gRPC-Web. */
  readonly url: string;
  /** Where native gRPC clients connect, `host:port`. */
  readonly grpcTarget: string;
  /** The first administrator. */
  readonly administrator: { readonly address: string; readonly password: string };
  /** Server processes: one, or the replicas of every service. */
  readonly processes: readonly ProductProcess[];
  /** Processes that run `service`, spares last. */
  replicasOf(service: string): readonly ProductProcess[];
  /** The load balancer of a pool; SIGUSR2 makes it read its configuration again. */
  readonly balancer: ProductProcess | undefined;
  /** Issues the certificates `server` (and, for a pool, `balancer`); undefined without TLS. */
  readonly authority: TestAuthority | undefined;
  /** Directory with configuration, keys, data and logs. */
  readonly dir: string;
  /** Runs `bin/parley` with this configuration; resolves with what it printed. */
  parley(...args: string[]): Promise<string>;
  /**
   * Sum of a counter or gauge over all processes that run; `labels` must all match, and nothing that does is 0. Rejects
   * when one of them does not tell its metrics, or none knows that name.
   */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Resolves when everything accepted so far is archived. */
  drain(): Promise<void>;
  /** Stops everything; removes the directory unless `keep`. */
  stop(options?: { readonly keep?: boolean }): Promise<void>;
}

const SERVICES = ['directory', 'presence', 'session', 'im', 'archiving'] as const;

/** Services of a pool; each has processes of its own. */
export type ServiceName = (typeof SERVICES)[number];

const run = promisify(execFile);

/** Starts the whole product on free loopback ports with fresh data. */
export async function startParley(options: StartOptions): Promise<ParleyUnderTest> {
  const home = options.home ?? resolve(import.meta.dirname, '../../..');
  const bin = join(home, 'bin/parley');
  const dir = mkdtempSync(join(tmpdir(), 'parley-'));
  mkdirSync(join(dir, 'logs'));
  const configFile = join(dir, 'parley.yaml');
  const passwordFile = join(dir, 'administrator.password');
  const administrator = options.administrator ?? {
    address: 'admin@parley.example',
    password: `Admin-${dir.slice(-6)}-correct-horse`,
  };
  writeFileSync(passwordFile, administrator.password, { mode: 0o600 });

  const authority = options.tls ? createAuthority(dir) : undefined;
  const plain = options.topology === 'standalone' ? await standaloneLayout() : await poolLayout(dir, options);
  const layout = authority ? secured(plain, authority, dir) : plain;
  // JSON is YAML; deep-merged so that a test can change one setting of a section
  const defaults = {
    dataDir: dir,
    directory: { domains: ['parley.example'], hashMemoryKiB: 256, hashPasses: 1 },
    ...layout.config,
  };
  writeFileSync(configFile, JSON.stringify(merge(defaults, options.config ?? {}), null, 2));
  const parley = async (...args: string[]) =>
    (await run(bin, [...args, '--config', configFile], { maxBuffer: 64 << 20 })).stdout;
  if (options.prepare) await options.prepare(parley, dir);
  else {
    await parley('init', '--no-administrator');
    await parley('migrate');
    await parley('create-administrator', '--address', administrator.address, '--password-file', passwordFile);
  }

  const processes = layout.processes.map(p =>
    productProcess({
      name: p.name,
      command: bin,
      args: ['serve', '--config', configFile, ...(p.target ? ['--target', p.target] : [])],
      env: {
        PARLEY_PUBLIC_PORT: String(p.publicPort),
        PARLEY_GRPC_PORT: String(p.grpcPort),
        PARLEY_ADMIN_PORT: String(p.adminPort),
        ...options.env?.(p.name),
      },
      logFile: join(dir, 'logs', `${p.name}.log`),
      adminPort: p.adminPort,
    }),
  );
  let balancer: ProductProcess | undefined;
  if (layout.balancer) {
    const haproxyFile = join(dir, 'haproxy.cfg');
    writeFileSync(haproxyFile, await parley('print-haproxy', '--plan', JSON.stringify(layout.balancer)));
    balancer = productProcess({
      name: 'haproxy',
      command: 'haproxy',
      args: ['-W', '-db', '-f', haproxyFile],
      env: {},
      logFile: join(dir, 'logs/haproxy.log'),
    });
  }
  const stopAll = async () => {
    await Promise.all(processes.map(p => p.stop()));
    await balancer?.kill();
  };
  try {
    await Promise.all(processes.filter((_, i) => !layout.processes[i]?.spare).map(p => p.start()));
    await balancer?.start();
    const ended = () => balancer?.running === false;
    await until(
      'the public port to answer',
      async () => ended() || (await fetch(layout.url, { signal: AbortSignal.timeout(1_000) })),
      { timeoutMs: 60_000 },
    );
    if (ended()) throw new Error(`the load balancer ended:\n${balancer?.log().slice(-4_000)}`);
    if (layout.balancer) await routed(layout.url, 'parley.directory.v1.AuthService/GetKeySet');
  } catch (error) {
    await stopAll();
    throw error;
  }

  const metric = async (name: string, labels: Readonly<Record<string, string>> = {}) => {
    const texts = await Promise.all(processes.filter(p => p.running).map(metricsOf));
    const known = new RegExp(`^(?:# TYPE )?${name}[ {]`, 'm');
    if (!texts.some(text => known.test(text))) throw new Error(`no process that runs has a metric ${name}`);
    return texts.flatMap(text => text.split('\n')).reduce((sum, line) => sum + sampleOf(line, name, labels), 0);
  };
  return {
    topology: options.topology,
    url: layout.url,
    grpcTarget: layout.grpcTarget,
    administrator,
    processes,
    balancer,
    replicasOf: service =>
      options.topology === 'standalone' ? processes : processes.filter(p => p.name.startsWith(`${service}-`)),
    authority,
    dir,
    parley,
    metric,
    drain: async () => {
      const lag = () => metric('parley_log_consumer_lag', { group: 'archiving' });
      await until('the archive to catch up', async () => (await lag()) === 0, { timeoutMs: 60_000, everyMs: 500 });
    },
    async stop({ keep = false } = {}) {
      await stopAll();
      if (process.env.PARLEY_TEST_KEEP)
        cpSync(join(dir, 'logs'), join(process.env.PARLEY_TEST_KEEP, dir.slice(-6)), { recursive: true });
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Layout {
  readonly url: string;
  readonly grpcTarget: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly processes: readonly {
    readonly name: string;
    readonly target?: string;
    readonly spare?: boolean;
    readonly publicPort: number;
    readonly grpcPort: number;
    readonly adminPort: number;
  }[];
  readonly balancer?: object;
}

async function standaloneLayout(): Promise<Layout> {
  const [publicPort = 0, grpcPort = 0, adminPort = 0] = await freePorts(3);
  return {
    url: `http://127.0.0.1:${publicPort}`,
    grpcTarget: `127.0.0.1:${grpcPort}`,
    config: { topology: 'standalone' },
    processes: [{ name: 'parley', publicPort, grpcPort, adminPort }],
  };
}

async function poolLayout(
  dir: string,
  { backends, replicas = 2, spares = 0, maxConnections = 4_000 }: StartOptions,
): Promise<Layout> {
  if (!backends) throw new Error('a pool needs backends');
  const started = (service: ServiceName) => (typeof replicas === 'number' ? replicas : (replicas[service] ?? 2));
  const ports = await freePorts(2 + SERVICES.reduce((sum, service) => sum + started(service) + spares, 0) * 3);
  const take = () => ports.pop() as number;
  const [publicPort, grpcPort] = [take(), take()];
  const processes = SERVICES.flatMap(target =>
    Array.from({ length: started(target) + spares }, (_, i) => ({
      name: `${target}-${i + 1}`,
      target,
      spare: i >= started(target),
      publicPort: take(),
      grpcPort: take(),
      adminPort: take(),
    })),
  );
  const run = dir
    .slice(-6)
    .replaceAll(/[^A-Za-z0-9]/g, '0')
    .toLowerCase();
  return {
    url: `http://127.0.0.1:${publicPort}`,
    grpcTarget: `127.0.0.1:${grpcPort}`,
    config: {
      topology: 'pool',
      pool: {
        mongo: { url: backends.mongoUrl, databasePrefix: `t${run}_` },
        nats: { servers: [backends.natsUrl] },
        kafka: { brokers: backends.kafkaBrokers, topicPrefix: `t${run}.`, minInsyncReplicas: 1, replicationFactor: 1 },
      },
      services: Object.fromEntries(
        SERVICES.map(service => [
          service,
          processes.filter(p => p.target === service).map(p => `127.0.0.1:${p.grpcPort}`),
        ]),
      ),
    },
    processes,
    balancer: {
      maxConnections,
      publicBind: `127.0.0.1:${publicPort}`,
      grpcBind: `127.0.0.1:${grpcPort}`,
      replicas: processes.map(({ target, publicPort, grpcPort, adminPort }) => ({
        target,
        host: '127.0.0.1',
        publicPort,
        grpcPort,
        adminPort,
      })),
    },
  };
}

/** The same with TLS; this process trusts the authority from now on. */
function secured(layout: Layout, authority: TestAuthority, dir: string): Layout {
  setDefaultCACertificates([...getCACertificates('default'), authority.ca]);
  const tls = authority.issue('server');
  const { certFile, keyFile } = authority.issue('balancer');
  const both = join(dir, 'balancer.both.pem');
  writeFileSync(both, readFileSync(certFile, 'utf8') + readFileSync(keyFile, 'utf8'), { mode: 0o600 });
  const { services } = layout.config as { readonly services?: object };
  return {
    ...layout,
    url: layout.url.replace('http:', 'https:'),
    config: {
      ...layout.config,
      public: { tls },
      // services of a pool show each other certificates, and so does the balancer
      grpc: { tls: services ? { ...tls, clientCaFile: authority.caFile } : tls },
      ...(services && { services: { ...services, tls: { ...tls, caFile: authority.caFile } } }),
    },
    ...(layout.balancer !== undefined && {
      balancer: {
        ...layout.balancer,
        tls: { certificate: both, clientCertificate: both, caFile: authority.caFile, serverName: 'localhost' },
      },
    }),
  };
}

/**
 * Resolves when the load balancer at `url` reaches a server that answers calls of `method` (`package.Service/Method`),
 * be it by a refusal: it asks once a second who is ready.
 */
export async function routed(url: string, method: string): Promise<void> {
  const body = new Uint8Array(5); // an empty request in one gRPC-Web frame
  const request = { method: 'POST', headers: { 'content-type': 'application/grpc-web+proto' }, body };
  await until(
    `the load balancer to reach ${method}`,
    async () => (await fetch(`${url}/${method}`, request)).status === 200,
    { timeoutMs: 60_000 },
  );
}

/** A process that is busy answers late; one that ends meanwhile has nothing to tell. */
async function metricsOf(process: ProductProcess): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await process.metrics();
    } catch (cause) {
      if (!process.running) return '';
      if (attempt === 3) throw new Error(`${process.name} does not tell its metrics`, { cause });
    }
  }
}

function sampleOf(line: string, name: string, labels: Readonly<Record<string, string>>): number {
  if (!line.startsWith(name)) return 0;
  const match = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!match || match[1] !== name) return 0;
  const has = Object.entries(labels).every(([label, value]) => match[2]?.includes(`${label}="${value}"`));
  return has ? Number(match[3]) : 0;
}

function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const both = isPlain(out[key]) && isPlain(value);
    out[key] = both ? merge(out[key] as Record<string, unknown>, value as Record<string, unknown>) : value;
  }
  return out;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
