/** Builds the web client when it is missing or older than its sources; `--force` builds it anyway. */
import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const web = join(root, 'clients/web');
const SOURCES = [
  'clients/web/{index.html,package.json,vite.config.ts}',
  'clients/web/{src,public}/**/*',
  'clients/sdk/src/**/*.ts',
  'packages/contracts/src/**/*.ts',
  'package-lock.json',
];

/** Whether something the build is made of has changed since. */
function stale(): boolean {
  const built = statSync(join(web, 'dist/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync(SOURCES, { cwd: root, exclude: path => path.includes('.test.') });
  return sources.some(path => statSync(join(root, path)).mtimeMs > built);
}

/** See above; ends the process when the build fails. */
export function buildWeb(force = false): void {
  if (!force && !stale()) return;
  const started = performance.now();
  process.stderr.write('building the web client … ');
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, 'build'], { cwd: web, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(`failed\n${stdout}${stderr}`);
    process.exit(status ?? 1);
  }
  process.stderr.write(`${((performance.now() - started) / 1_000).toFixed(1)} s\n`);
}

if (import.meta.main) buildWeb(process.argv.includes('--force'));
