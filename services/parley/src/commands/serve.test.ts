import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger, systemIds } from '@parley/runtime';
import { createAuthority, until } from '@parley/testkit';
import { DEMO_DOMAIN } from '../demo.ts';
import { removeDemo } from '../demo-guard.ts';
import { createKeys } from '../keys.ts';
import { TARGET_NAMES } from '../routes.ts';
import { SCHEMA_ID, SCHEMAS, type SchemaDoc } from '../schema.ts';
import { VERSION } from '../version.ts';
import { type CommandContext, commandContext, withTopology } from './context.ts';
import { migrate, THIS_SERVER } from './migrate.ts';
import { createDemo } from './people.ts';
import { serve } from './serve.ts';
import { withDirectory } from './with-directory.ts';

/** `parley serve` as a process of its own. */
const run = (...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    const main = join(import.meta.dirname, '../main.ts');
    const options = { timeout: 60_000 };
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      options,
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });

describe('parley serve is refused', () => {
  let dir: string;
  let config: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-serve-'));
    config = join(dir, 'parley.yaml');
    configure({});
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function configure(settings: object): void {
    const quick = { domains: ['parley.example', DEMO_DOMAIN], hashMemoryKiB: 8, hashPasses: 1 };
    const ports = { public: { port: 0 }, grpc: { port: 0 }, admin: { port: 0 } };
    writeFileSync(
      config,
      JSON.stringify({ dataDir: dir, log: { level: 'error' }, directory: quick, ...ports, ...settings }),
    );
  }
  const context = (): CommandContext => ({
    ...commandContext({ config }, 'warn'),
    logger: createLogger({ level: 'silent', service: 'parley' }),
  });
  const keys = () => createKeys(join(dir, 'keys'), TARGET_NAMES, systemIds);
  const refused = (pattern: RegExp) =>
    assert.rejects(serve({ config }), (error: Error) => {
      assert.match(error.message, pattern);
      return true;
    });
  const changeSchema = (change: (doc: SchemaDoc) => SchemaDoc) =>
    withTopology(context(), async topology => {
      const schemas = (await topology.store('parley')).collection(SCHEMAS);
      const doc = await schemas.get(SCHEMA_ID);
      assert.ok(doc);
      assert.ok((await schemas.replace(change(doc), doc._rev as number)).replaced);
    });

  it('where nothing was set up', () =>
    refused(/^there is no database in .*; name another --data-dir, or run 'parley init'$/));

  it('without keys', async () => {
    await migrate(context());
    await refused(/^key file .*person-token-1.pem is missing; 'parley init' makes it$/);
  });

  it('on a store that was not migrated', async () => {
    keys();
    await withTopology(context(), async () => {});
    await refused(/^the store is not migrated; run 'parley migrate'/);
  });

  it('on a store that lacks what this version needs, until it is migrated', async () => {
    keys();
    await migrate(context());
    await changeSchema(doc => ({
      ...doc,
      migratedBy: '0.0.1',
      contents: doc.contents.filter(c => !c.startsWith('im/')),
    }));
    await refused(/^the store was last migrated by Parley 0.0.1 and lacks .*\(im\/.*run 'parley migrate'$/);
    await migrate(context());
    await withTopology(context(), async () =>
      refused(/is in use by another process; stop it or choose another directory$/),
    );
  });

  it('on a store that a newer version has finalised, as is every migration', async () => {
    keys();
    const next = { version: '9.9.9', writes: THIS_SERVER.writes + 1, reads: 1 };
    await migrate(context());
    await migrate(context(), {}, next);
    await migrate(context());
    await migrate(context(), { finalise: true }, next);
    const pattern = new RegExp(
      `format ${next.writes}, finalised by Parley 9.9.9; this is Parley ${VERSION}, .*run Parley 9.9.9 or newer$`,
    );
    await refused(pattern);
    await assert.rejects(migrate(context()), pattern);
  });

  it('on a port that is taken, naming the setting', async () => {
    keys();
    await migrate(context());
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    for (const name of ['public', 'grpc', 'admin']) {
      configure({ [name]: { port } });
      await refused(new RegExp(`^port ${port} of 127.0.0.1 is taken .* set ${name}.port`));
    }
    other.close();
  });

  it('on a file that is no database', async () => {
    keys();
    writeFileSync(join(dir, 'parley.sqlite'), 'shopping list'.repeat(1_000));
    await refused(/^the database .*parley.sqlite is no database; .*restore a backup/);
  });

  it('with one sentence on standard error and exit code 1, and with every problem of a configuration', async () => {
    const bare = await run('serve', '--config', config);
    assert.equal(bare.code, 78, 'starting again is of no use');
    assert.match(bare.stderr, /^parley: there is no database in .*\n$/);
    assert.equal(bare.stdout, '');
    configure({ public: { host: '0.0.0.0', prot: 1, tls: { certFile: '/nowhere/a.pem', keyFile: '/nowhere/a.key' } } });
    const bad = await run('serve', '--config', config);
    assert.equal(bad.code, 78);
    for (const part of [
      /3 problems/,
      /public.prot .*did you mean public.port/,
      /public.tls.certFile .*is not there/,
      /public.tls.keyFile/,
    ])
      assert.match(bad.stderr, part);
    assert.doesNotMatch(bad.stderr, /\n {4}at /);
  });

  it('never, when all is well: systemd is told, and SIGTERM ends it well', async () => {
    keys();
    await migrate(context());
    writeFileSync(join(dir, 'systemd-notify'), `#!/bin/sh\necho "$@" > ${dir}/told\n`, { mode: 0o755 });
    const main = join(import.meta.dirname, '../main.ts');
    const env = { ...process.env, PATH: `${dir}:${process.env.PATH}`, NOTIFY_SOCKET: '/run/nowhere' };
    const child = spawn(process.execPath, [main, 'serve', '--config', config], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await until('systemd to be told', () => existsSync(join(dir, 'told')));
    assert.match(readFileSync(join(dir, 'told'), 'utf8'), /^--ready --status=directory, .* on port 0/);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  it('beyond loopback while people of the demo organisation may sign in, until they are removed', async () => {
    keys();
    await migrate(context());
    await createDemo(context());
    const { certFile, keyFile } = createAuthority(dir).issue('server');
    for (const open of [
      { public: { host: '0.0.0.0', port: 0, tls: { certFile, keyFile } } },
      { grpc: { host: '::', port: 0 }, insecureBind: true },
      { public: { port: 0, trustProxy: true } },
    ]) {
      configure(open);
      await refused(
        /^the demo organisation is for trying things on one machine, but .*60 people .*'parley remove-demo'/,
      );
      const make = await run('create-demo', '--config', config);
      assert.match(make.stderr, /is for trying things on one machine, and .*use an installation of its own/);
    }
    await assert.rejects(
      withDirectory(context(), removeDemo),
      /only administrator .*first make another: parley create-administrator/,
    );
    const boss = { address: 'boss@parley.example', displayName: 'Boss', password: 'correct horse battery' };
    await withDirectory(context(), directory => directory.ensureAdministrator(boss));
    assert.match(await withDirectory(context(), removeDemo), /^removed 60 people/);
    assert.match(await withDirectory(context(), removeDemo), /^nobody of/);
    // whoever comes past the demo organisation fails here
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => other.once('listening', resolve));
    configure({ public: { trustProxy: true, port: (other.address() as { port: number }).port } });
    await refused(/is taken by another program/);
    other.close();
  });
});
