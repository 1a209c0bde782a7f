/**
 * `make run`: the standalone edition with a demo organisation on this machine. Data stays in the data directory between
 * runs. `--watch` restarts the server when a source file changes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { buildWeb } from './web.ts';

const root = resolve(import.meta.dirname, '..');
const parley = join(root, 'bin/parley');
const dataDir = resolve(process.env.PARLEY_DATA_DIR ?? join(root, 'data'));
const port = (name: string, standard: number) => Number(process.env[name] ?? standard);
const ports = {
  PARLEY_PUBLIC_PORT: port('PARLEY_PUBLIC_PORT', 7380),
  PARLEY_GRPC_PORT: port('PARLEY_GRPC_PORT', 7390),
  PARLEY_ADMIN_PORT: port('PARLEY_ADMIN_PORT', 7399),
};

/** Why a port cannot be had, or undefined. */
function busy(number: number): Promise<string | undefined> {
  return new Promise(resolvePort => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolvePort(error.code ?? error.message));
    probe.listen(number, '127.0.0.1', () => probe.close(() => resolvePort(undefined)));
  });
}

const step = (...args: string[]) => {
  const { status } = spawnSync(parley, [...args, '--data-dir', dataDir], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

for (const [name, number] of Object.entries(ports)) {
  const reason = await busy(number);
  if (reason) {
    console.error(
      `Port ${number} of 127.0.0.1 cannot be had (${reason}). Free it, or choose another: ${name}=${number + 10_000} make run`,
    );
    process.exit(1);
  }
}
buildWeb();
const accounts = join(dataDir, 'demo-accounts.txt');
if (!existsSync(accounts)) {
  step('init', '--domain', 'demo.parley.example', '--profile', 'regulated', '--no-administrator');
  step('create-demo');
} else step('migrate');

const watch = process.argv.includes('--watch');
const serve = [join(root, 'services/parley/src/main.ts'), 'serve', '--data-dir', dataDir];
const flags = ['--disable-warning=ExperimentalWarning', ...(watch ? ['--watch', '--watch-preserve-output'] : [])];
const server = spawn(process.execPath, [...flags, ...serve], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, PARLEY_LOG_LEVEL: process.env.PARLEY_LOG_LEVEL ?? 'warn' },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
// the server takes it as a wish to reload; whoever closes his terminal wants it to end
process.on('SIGHUP', () => server.kill('SIGTERM'));
server.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));

const ready = async () =>
  (await fetch(`http://127.0.0.1:${ports.PARLEY_ADMIN_PORT}/readyz`).catch(() => undefined))?.ok === true;
while (!(await ready())) await new Promise(wait => setTimeout(wait, 100));
const url = `http://127.0.0.1:${ports.PARLEY_PUBLIC_PORT}`;
console.log(`
Parley is running: open ${url} in a browser (gRPC ${ports.PARLEY_GRPC_PORT}, metrics ${ports.PARLEY_ADMIN_PORT}). Ctrl-C stops it.

People of the demo organisation and their passwords (${accounts}):
${readFileSync(accounts, 'utf8').trimEnd()}

In another terminal:
  bin/parleyctl login --server ${url} --profile mei mei.lin@demo.parley.example
  bin/parleyctl --profile mei chat tom.okafor@demo.parley.example
`);
