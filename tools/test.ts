/**
 * Runs the tests. Without options: everything that needs only Node. `--pool` starts real NATS, Kafka and a MongoDB-wire
 * database and runs what needs them, the web client of a pool among it. `--browser` builds the web client and runs what
 * needs Chromium. `--conformance` builds foreign clients with Go and lets them loose on our listeners. `--only TEXT`
 * keeps the test files whose path contains TEXT.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildWeb } from './web.ts';

const { values } = parseArgs({
  options: {
    pool: { type: 'boolean', default: false },
    browser: { type: 'boolean', default: false },
    conformance: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const ALL = ['packages', 'services', 'clients', 'tests', 'bench', 'tools'].map(dir => `${dir}/**/*.test.ts`);
const needsServers = (path: string) => path.endsWith('.pool.test.ts');
const needsBrowser = (path: string) => path.endsWith('.browser.test.ts');
const needsForeignClients = (path: string) => path.endsWith('.conformance.test.ts');
const needsBackendBuild = (path: string) => path.endsWith('.smoke.test.ts');

const files = globSync(ALL, { exclude: path => path.includes('node_modules') })
  .filter(path => needsBrowser(path) === values.browser)
  .filter(path => needsForeignClients(path) === values.conformance)
  .filter(path =>
    values.pool ? needsServers(path) || needsBackendBuild(path) : !needsServers(path) && !needsBackendBuild(path),
  )
  .filter(path => values.only === undefined || path.includes(values.only))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${values.only ?? 'the selection'}`);
  process.exit(2);
}

if (values.browser || files.some(path => path.startsWith('tests/browser/') && needsServers(path))) buildWeb();
const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
const node = [
  '--disable-warning=ExperimentalWarning',
  '--test',
  ...reporters,
  '--test-concurrency=2',
  `--test-timeout=${values.pool ? 900_000 : 180_000}`,
];
const command = values.pool
  ? [
      '--disable-warning=ExperimentalWarning',
      'tests/backends/src/cli.ts',
      'env',
      '--',
      process.execPath,
      ...node,
      ...files,
    ]
  : [...node, ...files];
const child = spawn(process.execPath, command, { stdio: 'inherit' });
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
