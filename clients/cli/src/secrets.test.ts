import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { configHome } from '../test/io.ts';
import { UsageError } from './exit-codes.ts';
import type { Input, Io } from './io.ts';
import { createSecrets } from './secrets.ts';

function world(env: Record<string, string> = {}, terminal = false) {
  const raw: boolean[] = [];
  const stdin = new PassThrough() as PassThrough & Input;
  if (terminal) Object.assign(stdin, { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  const stderr = new PassThrough();
  let shown = '';
  stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const interruption = new AbortController();
  const io: Io = {
    stdin,
    stdout: new PassThrough(),
    stderr,
    env,
    interrupted: interruption.signal,
    now: () => 0,
  };
  return { secrets: createSecrets(io), stdin, raw, shown: () => shown };
}

const SOURCE = { prompt: 'Password', variable: 'PARLEYCTL_PASSWORD' };

describe('a password', () => {
  it('is asked for without being shown, with the keys people use', async () => {
    const { secrets, stdin, raw, shown } = world({}, true);
    const read = secrets.read(SOURCE);
    stdin.write('wrong\u0015corrcet');
    stdin.write('\u007f\u007f\u007fect hörse 界\r');
    assert.equal(await read, 'correct hörse 界');
    assert.equal(shown(), 'Password: \n');
    assert.deepEqual(raw, [true, false]);
  });

  it('is asked for twice where it is to be remembered, until both are the same', async () => {
    const { secrets, stdin, shown } = world({}, true);
    const read = secrets.read({ ...SOURCE, confirm: true });
    for (const line of ['one', 'two', 'three', 'three']) {
      await new Promise(resolve => setImmediate(resolve));
      stdin.write(`${line}\r`);
    }
    assert.equal(await read, 'three');
    assert.match(shown(), /not the same/);
    assert.ok(!shown().includes('three'));
  });

  it('is not asked for any longer after Ctrl-C', async () => {
    const { secrets, stdin, raw } = world({}, true);
    const read = secrets.read(SOURCE);
    stdin.write('corr\u0003');
    await assert.rejects(read, { name: 'AbortError' });
    assert.deepEqual(raw, [true, false], 'the terminal echoes again');
  });

  it('comes from lines of standard input', async () => {
    const { secrets, stdin } = world();
    stdin.end('present one\r\nnext one\n');
    assert.equal(await secrets.read({ ...SOURCE, stdinLine: 0 }), 'present one');
    assert.equal(await secrets.read({ ...SOURCE, stdinLine: 1 }), 'next one');
    await assert.rejects(secrets.read({ ...SOURCE, stdinLine: 2 }), UsageError);
  });

  it('comes from a file, the environment, or a file that the environment names', async t => {
    const file = join(configHome(t), 'password');
    writeFileSync(file, 'from a file\n');
    assert.equal(await world().secrets.read({ ...SOURCE, file }), 'from a file');
    assert.equal(await world({ PARLEYCTL_PASSWORD: 'from env' }).secrets.read(SOURCE), 'from env');
    assert.equal(await world({ PARLEYCTL_PASSWORD_FILE: file }).secrets.read(SOURCE), 'from a file');
    await assert.rejects(world().secrets.read({ ...SOURCE, file: `${file}.no` }), /cannot be read: ENOENT/);
  });

  it('cannot be had where nobody can be asked', async () => {
    await assert.rejects(world().secrets.read(SOURCE), /no terminal/);
  });
});
