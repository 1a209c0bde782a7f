/** Lints proto/ and generates packages/contracts from it. `--check` changes nothing and fails when the two differ. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const proto = join(root, 'proto');
const generated = join(root, 'packages/contracts/src/gen');
const bin = join(root, 'node_modules/.bin');
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
const buf = (...args: string[]) => execFileSync(join(bin, 'buf'), args, { cwd: proto, env, stdio: 'inherit' });

/** Relative path -> content of every generated file below `dir`. */
function contents(dir: string): Map<string, string> {
  return new Map(globSync('**/*.ts', { cwd: dir }).map(path => [path, readFileSync(join(dir, path), 'utf8')]));
}

buf('lint');
if (process.argv.includes('--check')) {
  const scratch = mkdtempSync(join(tmpdir(), 'parley-contracts-'));
  try {
    cpSync(proto, join(scratch, 'proto'), { recursive: true });
    execFileSync(join(bin, 'buf'), ['generate'], { cwd: join(scratch, 'proto'), env, stdio: 'inherit' });
    const fresh = contents(join(scratch, 'packages/contracts/src/gen'));
    const committed = contents(generated);
    const differing = [...new Set([...fresh.keys(), ...committed.keys()])].filter(
      path => fresh.get(path) !== committed.get(path),
    );
    if (differing.length > 0) {
      console.error(
        `generated contracts differ from proto/ (run 'make contracts'):\n  ${differing.sort().join('\n  ')}`,
      );
      process.exit(1);
    }
    checkBreaking();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
} else {
  buf('generate');
}

/** Compares with the contracts of the newest release tag; before the first release there is nothing to break. */
function checkBreaking(): void {
  if (!existsSync(join(root, '.git'))) return;
  const tag = execFileSync('git', ['tag', '--list', 'v*', '--sort=-v:refname'], { cwd: root, encoding: 'utf8' }).split(
    '\n',
  )[0];
  if (tag) buf('breaking', '--against', `${root}/.git#tag=${tag},subdir=proto`);
}
