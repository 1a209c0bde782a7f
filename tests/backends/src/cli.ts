#!/usr/bin/env node
/** Command line: build · up · env -- COMMAND… · status · clean. Progress goes to standard error, answers to standard output. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { clean, status } from './cache.ts';
import { ensureHaproxy } from './haproxy.ts';
import { type Backends, startBackends } from './index.ts';
import { stderrLog } from './tools.ts';

const USAGE = `usage: cli.ts COMMAND [--nats] [--kafka] [--mongo] [--dir DIR]
  build              build everything that is missing, and make sure haproxy is there
  up                 start the servers (all, or those named), print where they are, stop on Ctrl-C
  env -- COMMAND…    start them, run COMMAND with PARLEY_TEST_* set, stop them, exit with its code
  status             what is built, what is running
  clean              remove all builds and what is left of old runs
`;

async function main(argv: readonly string[]): Promise<number> {
  const split = argv.indexOf('--');
  const own = split === -1 ? argv : argv.slice(0, split);
  const rest = split === -1 ? [] : argv.slice(split + 1);
  const { positionals, values } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: {
      nats: { type: 'boolean' },
      kafka: { type: 'boolean' },
      mongo: { type: 'boolean' },
      dir: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { help, ...options } = values;
  const command = help ? 'help' : positionals.length === 1 ? positionals[0] : undefined;
  switch (command) {
    case 'build':
      await build();
      await ensureHaproxy();
      stderrLog('everything is built');
      return 0;
    case 'up':
      return up(await startBackends(options));
    case 'env':
      if (rest.length === 0) break;
      return runIn(await startBackends(options), rest);
    case 'status':
      process.stdout.write(status());
      return 0;
    case 'clean':
      await clean(stderrLog);
      return 0;
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case undefined:
    default:
      break;
  }
  process.stderr.write(USAGE);
  return 2;
}

async function up(backends: Backends): Promise<number> {
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
  for (const [name, value] of Object.entries(backends.env)) process.stdout.write(`${name}=${value}\n`);
  stderrLog(`running in ${backends.dir}; Ctrl-C stops`);
  const alive = setInterval(() => {}, 60_000);
  await ended;
  clearInterval(alive);
  await backends.stop();
  return 0;
}

async function runIn(backends: Backends, [file = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...backends.env } });
  // A terminal sends Ctrl-C to the command as well; either way it ends first and we stop after it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const code = await new Promise<number>(resolve => {
    child.once('error', error => {
      stderrLog(`${file}: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
  await backends.stop(code === 0 ? 'clean' : 'failed');
  if (code !== 0) stderrLog(`the command ended with ${code}; logs of the servers: ${backends.dir}/logs`);
  return code;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  stderrLog(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
