/**
 * `make load USERS=200 DURATION=60s TOPOLOGY=standalone|pool`: starts the product, makes the people and lets k6 live their
 * day. With PARLEY_GRPC_TARGET and PARLEY_ACCOUNTS set, loads that installation instead. Ends with 0 when every health
 * limit held.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createParleyClient } from '@parley/client';
import { type ParleyUnderTest, startParley } from '@parley/testkit';
import { type Backends, k6Path, startBackends } from '../backends/src/index.ts';
// @ts-expect-error k6 reads JavaScript only, so there are no types
import { knobs } from './knobs.js';

interface Account {
  readonly id: string;
  readonly address: string;
  readonly password: string;
  readonly displayName: string;
}

const FAMILIES = [
  'Adeyemi',
  'Baker',
  '陳',
  'Dubois',
  'Eriksen',
  'Fischer',
  'García',
  '黃',
  'Ivanova',
  'Jones',
  '林',
  'Moreau',
];
const GIVEN = ['Ana', 'Ben', '美玲', 'Chloé', 'Dan', 'Emeka', '志明', 'Grace', 'Hugo', '怡君', 'Ida', 'Jon'];

async function main(): Promise<number> {
  const env: Record<string, string | undefined> = { USERS: '200', ...process.env };
  const dir = mkdtempSync(join(tmpdir(), 'parley-load-'));
  const summary = join(dir, 'summary.json');
  if (env.PARLEY_GRPC_TARGET) {
    try {
      const code = await load({ ...env, SUMMARY: summary });
      // refused knobs end k6 before it has figures
      if (existsSync(summary)) report(summary);
      return code;
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const accounts = join(dir, 'accounts.json');
  // refused before anything is started
  const { users } = knobs({ ...env, PARLEY_GRPC_TARGET: 'later', PARLEY_ACCOUNTS: accounts }) as { users: number };
  const topology = env.TOPOLOGY ?? 'standalone';
  if (topology !== 'standalone' && topology !== 'pool')
    throw new Error(`TOPOLOGY is "${topology}": standalone or pool`);
  await k6Path();
  const { parley, stop } = topology === 'pool' ? await startPool() : await startStandalone();
  try {
    say(`${topology} is up; making ${users} people`);
    writeFileSync(accounts, JSON.stringify(await makePeople(parley, users)), { mode: 0o600 });
    const code = await load({
      ...env,
      PARLEY_GRPC_TARGET: parley.grpcTarget,
      PARLEY_ACCOUNTS: accounts,
      SUMMARY: summary,
    });
    report(summary);
    return code;
  } finally {
    await stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Product {
  readonly parley: ParleyUnderTest;
  stop(): Promise<void>;
}

/** One machine stands for all clients, so its address may call as often as they all would. */
const CONFIG = { public: { callsPerPeerPerSecond: 100_000 } };

async function startStandalone(): Promise<Product> {
  const parley = await startParley({ topology: 'standalone', config: CONFIG });
  return { parley, stop: () => parley.stop() };
}

async function startPool(): Promise<Product> {
  const backends: Backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  if (!nats || !kafka || !mongo) throw new Error('a server is missing');
  const at = { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url };
  const parley = await startParley({ topology: 'pool', backends: at, config: CONFIG }).catch(async error => {
    await backends.stop('failed');
    throw error;
  });
  return {
    parley,
    stop: async () => {
      await parley.stop();
      await backends.stop();
    },
  };
}

async function makePeople(parley: ParleyUnderTest, count: number): Promise<Account[]> {
  const admin = createParleyClient({ baseUrl: parley.url });
  await admin.signIn(parley.administrator.address, parley.administrator.password);
  const accounts: Account[] = [];
  const make = async (i: number) => {
    const displayName = `${GIVEN[i % GIVEN.length]} ${FAMILIES[Math.floor(i / GIVEN.length) % FAMILIES.length]} ${i}`;
    const address = `load-${i}@parley.example`;
    const password = crypto.randomUUID();
    const { account } = await admin.services.directoryAdmin.createPerson({
      requestId: crypto.randomUUID(),
      address,
      displayName,
      initialPassword: password,
    });
    accounts[i] = { id: account?.person?.id ?? '', address, password, displayName };
  };
  for (let i = 0; i < count; i += 10)
    await Promise.all(Array.from({ length: Math.min(10, count - i) }, (_, j) => make(i + j)));
  await admin.close();
  return accounts;
}

/** k6's own exit code: 0 when every limit held, 99 when one did not. */
async function load(env: Record<string, string | undefined>): Promise<number> {
  const args = ['run', '--quiet', '--no-usage-report', join(import.meta.dirname, 'script.js')];
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const k6 = spawn(await k6Path(), args, { stdio: 'inherit', env: Object.fromEntries(given) });
  return new Promise((resolve, reject) => {
    k6.once('error', reject);
    k6.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

interface Metric {
  readonly type: string;
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

function report(file: string): void {
  const { metrics } = JSON.parse(readFileSync(file, 'utf8')) as { metrics: Record<string, Metric> };
  for (const [name, { type, values, thresholds = {} }] of Object.entries(metrics).sort()) {
    if (!name.startsWith('parley_')) continue;
    const numbers = type === 'trend' ? ['count', 'avg', 'p(50)', 'p(95)', 'p(99)', 'max'] : ['count'];
    const shown = numbers.map(key => `${key} ${Math.round((values[key] ?? 0) * 10) / 10}`).join('  ');
    const limits = Object.entries(thresholds).map(([limit, { ok }]) => `${ok ? 'held' : 'BROKEN'}: ${limit}`);
    say(`${name.padEnd(28)} ${shown.padEnd(76)} ${limits.join(', ')}`);
  }
}

const say = (text: string) => console.error(text);

process.exitCode = await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return 2;
});
