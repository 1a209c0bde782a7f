import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
const INSTALLED = '/opt/parley';
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const unit = read('deploy/systemd/parley.service');

/** Every value of a setting, in order. */
const all = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value as string);
function one(key: string): string {
  const [value, ...more] = all(key);
  assert.ok(value !== undefined && more.length === 0, `${key} is there once`);
  return value;
}

test('the unit starts a command of the reference, with flags that it has', () => {
  const [binary = '', command, ...args] = one('ExecStart').split(' ');
  assert.equal(binary, `${INSTALLED}/bin/parley`);
  assert.ok(existsSync(join(ROOT, 'bin/parley')));
  const reference = read('docs/reference/cli.md');
  const section = reference.split(/^### /m).find(text => text.startsWith(`parley ${command}\n`));
  assert.ok(section, `there is no command parley ${command}`);
  for (const flag of args.filter(word => word.startsWith('--')))
    assert.match(section, new RegExp(`^ +${flag.split('=')[0]}\\b`, 'm'), `parley ${command} has no ${flag}`);
  const init = /^#\s+sudo -u parley (\S+) init (--[\w-]+) (\S+)$/m.exec(unit);
  assert.ok(init, 'it says how the installation is made');
  assert.equal(init[1], binary);
  const made = reference.split(/^### /m).find(text => text.startsWith('parley init\n'));
  assert.match(made ?? '', new RegExp(`^ +${init[2]}\\b`, 'm'));
  assert.ok(all('Environment').includes(`PARLEY_DATA_DIR=${init[3]}`), 'it starts what was made');
});

test('the unit names files and settings that exist', () => {
  const page = fileURLToPath(one('Documentation'));
  assert.ok(page.startsWith(`${INSTALLED}/`) && existsSync(page.replace(INSTALLED, ROOT)), `${page} is missing`);
  const reference = read('docs/reference/configuration.md');
  const names = all('Environment').map(text => text.split('=')[0] as string);
  for (const name of names.filter(text => text.startsWith('PARLEY_')))
    assert.ok(reference.includes(`\`${name}\``), `there is no setting ${name}`);
});

test('the unit is not started again for what only somebody can end: the exit code is the one of the program', () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-unit-'));
  try {
    const config = join(dir, 'parley.yaml');
    writeFileSync(config, 'public: { port: no number }\n');
    const [, ...args] = one('ExecStart').split(' ');
    const env = { PATH: process.env.PATH, PARLEY_NODE: process.execPath, PARLEY_DATA_DIR: dir };
    const bare = spawnSync(join(ROOT, 'bin/parley'), [...args, '--config', config], { encoding: 'utf8', env });
    assert.match(bare.stderr, /public\.port/);
    assert.equal(String(bare.status), one('RestartPreventExitStatus'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('systemd finds nothing wrong with the unit', t => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-unit-'));
  /** What `systemd-analyze verify` says about this unit, started from this checkout. */
  const verify = (text: string) => {
    const file = join(dir, 'parley.service');
    writeFileSync(file, text.replaceAll(`${INSTALLED}/bin`, join(ROOT, 'bin')));
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return (stderr ?? '').split('\n').filter(line => line.includes('parley.service'));
  };
  try {
    // it is not everywhere, and not everywhere able to look
    if (!verify(`${unit}\n[Service]\nRestartPrevented=78\n`).some(line => line.includes('RestartPrevented')))
      return t.skip('systemd-analyze cannot be used here');
    assert.deepEqual(verify(unit), []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
