/** Every check that needs no running product; all are run, then the failures are named. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const bin = (name: string) => resolve(root, 'node_modules/.bin', name);
const script = (path: string, ...args: string[]) => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  path,
  ...args,
];

const checks: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['types', [bin('tsc'), '-p', '.']],
  ['lint', [bin('oxlint'), '--type-aware', '--deny-warnings', '.']],
  ['format', [bin('biome'), 'check', '--error-on-warnings', '.']],
  ['contracts', script('tools/contracts.ts', '--check')],
  ['architecture', script('--test', '--test-reporter=dot', 'tests/architecture/architecture.test.ts')],
  ['reference docs', script('tools/docs.ts', '--check')],
  ['licences', script('tools/licences.ts')],
];

const failed: string[] = [];
for (const [name, [command, ...args]] of checks) {
  const started = performance.now();
  const result = spawnSync(command as string, args, { cwd: root, stdio: 'inherit' });
  const verdict = result.status === 0 ? 'ok' : 'FAILED';
  console.log(`check ${name}: ${verdict} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (result.status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exit(1);
}
