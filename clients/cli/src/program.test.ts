import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { configHome, outcome } from '../test/io.ts';
import { EXIT_CODE_TEXTS } from './exit-codes.ts';
import { cliReference } from './index.ts';

const bin = resolve(import.meta.dirname, '../../../bin/parleyctl');

/** Runs the program as people do. */
function parleyctl(home: string, args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    NODE_COMPILE_CACHE,
    HOME: home,
    XDG_CONFIG_HOME: home,
    PARLEY_NODE: process.execPath,
    ...more.env,
  };
  const { status, stdout, stderr } = spawnSync(bin, args, { encoding: 'utf8', env, input: more.input ?? '' });
  return { code: status, stdout, stderr };
}

describe('parleyctl', () => {
  it('helps on standard output, for every command', t => {
    const home = configHome(t);
    const { code, stdout, stderr } = parleyctl(home, ['--help']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const word of ['login', 'presence', 'archive', 'Exit codes:', 'PARLEYCTL_PASSWORD_FILE', '--json'])
      assert.ok(stdout.includes(word), word);
    const help = parleyctl(home, ['presence', 'set', '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /\$ parleyctl presence set busy --for 2h/);
    assert.match(help.stdout, /--profile <name>/);
  });

  it('says its version', t => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(parleyctl(configHome(t), ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('refuses wrong use with exit code 2, one line and what to do', async t => {
    const home = configHome(t);
    const wrong: readonly (readonly string[])[] = [
      ['dance'],
      ['whoami', '--loud'],
      ['presence', 'set', 'flying'],
      ['presence', 'watch'],
      ['im', 'send'],
      ['im', 'history', 'x', '--limit', '0'],
      ['archive', 'verify', '--settle', '61'],
      ['policy', 'archiving', 'set', '--critical', 'maybe'],
      ['users', 'add', 'x@y.example'],
      ['--timeout', 'soon', 'whoami'],
      ['--profile', '../../etc', 'whoami'],
      ['login', 'mei@clinic.example'],
      ['login', 'mei@clinic.example', '--server', 'http://parley.example'],
      ['login', 'mei@clinic.example', '--server', 'https://parley.example'],
    ];
    for (const args of wrong) {
      const { code, stdout, stderr } = await outcome(args, { home });
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^parleyctl: .+ \(cli\.usage\)\n( {2}.+\n)?$/, args.join(' '));
    }
    const { code, stderr } = parleyctl(home, ['dance', '--json']);
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(stderr), { error: { code: 'cli.usage', message: "unknown command 'dance'" } });
  });

  it('says with exit code 3 that nobody is signed in', t => {
    const { code, stderr } = parleyctl(configHome(t), ['whoami']);
    assert.equal(code, 3);
    assert.match(stderr, /^parleyctl: .*signed in.* \(client\.signed_out\)\n {2}Sign in: parleyctl login/);
  });

  it('says with exit code 7, and soon, that the server cannot be reached', async t => {
    const home = configHome(t);
    const port = await freePort();
    const args = ['login', 'mei@clinic.example', '--password-stdin', '--server', `http://127.0.0.1:${port}`];
    const { code, stdout, stderr } = parleyctl(home, args, { input: 'correct horse battery\n' });
    assert.deepEqual([code, stdout], [7, '']);
    assert.match(stderr, /^parleyctl: the server cannot be reached \(ECONNREFUSED\) \(client\.network\)\n/);
    assert.ok(!readdirSync(home).includes('parley'), 'nothing is kept');
    const json = parleyctl(home, [...args, '--json'], { input: 'correct horse battery\n' });
    assert.equal(json.code, 7);
    assert.equal((JSON.parse(json.stderr) as { error: { code: string } }).error.code, 'client.network');
  });

  it('ends quietly when nobody reads on', async t => {
    const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: configHome(t), PARLEY_NODE: process.execPath };
    const child = spawn(bin, ['reference'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise(resolve => child.on('close', resolve));
    assert.deepEqual([code, stderr], [0, '']);
  });
});

describe('the reference', () => {
  it('has every command, every exit code and the examples', () => {
    const text = cliReference();
    for (const command of [
      'login <address>',
      'chat <person>',
      'presence watch <person...>',
      'im send <person> [text...]',
      'users roles <person> [role...]',
      'archive verify',
      'policy archiving set',
    ])
      assert.ok(text.includes(`### \`parleyctl ${command}\``), command);
    for (const [code] of EXIT_CODE_TEXTS) assert.ok(text.includes(`\n| ${code} | `), String(code));
    assert.ok(text.includes("\nprintf 'ward 3 is ready\\n' | parleyctl chat"));
    assert.ok(!text.includes('undefined') && !text.includes('[object'));
  });

  it('is the same wherever it is made', t => {
    assert.equal(parleyctl(configHome(t), ['reference']).stdout, cliReference());
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise(closed => server.close(closed));
  return port;
}
