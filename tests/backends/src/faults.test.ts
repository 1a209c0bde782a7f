import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HOST } from './net.ts';
import { faultLibrary, openProcessFaults, type ProcessFaults } from './process-faults.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

describe('the relay between a process and a server', () => {
  const echo = createServer(socket => void socket.on('error', () => undefined).pipe(socket));
  let proxy: TcpProxy;
  const open: Socket[] = [];

  before(async () => {
    await new Promise<void>(resolve => echo.listen(0, HOST, resolve));
    proxy = await startTcpProxy((echo.address() as { port: number }).port);
  });

  after(async () => {
    for (const socket of open) socket.destroy();
    await proxy.close();
    echo.close();
  });

  async function dial(): Promise<Socket> {
    const socket = connect(proxy.port, HOST).on('error', () => undefined);
    open.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  const closing = (socket: Socket) => new Promise(resolve => socket.once('close', resolve));

  async function answer(socket: Socket, bytes: number): Promise<string> {
    let text = '';
    while (text.length < bytes) text += String((await once(socket, 'data'))[0]);
    return text;
  }

  it('passes bytes on, and delays them without changing their order', async () => {
    const socket = await dial();
    socket.write('one ');
    assert.equal(await answer(socket, 4), 'one ');
    proxy.delay(40);
    const began = performance.now();
    socket.write('two ');
    setTimeout(() => {
      proxy.heal();
      socket.write('three');
    }, 10);
    assert.equal(await answer(socket, 9), 'two three');
    assert.ok(performance.now() - began >= 40, 'what was delayed came too early');
  });

  it('resets what is open and whoever comes while it is cut', async () => {
    const socket = await dial();
    socket.write('x');
    await answer(socket, 1);
    const gone = closing(socket);
    proxy.cut();
    await gone;
    await closing(connect(proxy.port, HOST).on('error', () => undefined));
    proxy.heal();
    const again = await dial();
    again.write('y');
    assert.equal(await answer(again, 1), 'y');
  });

  it('holds everything while it is a black hole, and loses nothing of it', async () => {
    const socket = await dial();
    proxy.blackHole();
    let heard = '';
    socket.on('data', chunk => (heard += String(chunk)));
    socket.write('late');
    await new Promise(resolve => setTimeout(resolve, 30));
    assert.equal(heard, '');
    proxy.heal();
    while (heard.length < 4) await once(socket, 'data');
    assert.equal(heard, 'late');
  });
});

describe('the faults of a process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-faults-'));
  let faults: ProcessFaults;

  before(async () => {
    faults = openProcessFaults(await faultLibrary(), join(dir, 'control'));
  });

  after(() => {
    faults.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function node(script: string): Promise<string> {
    const env = { ...process.env, ...faults.env };
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    return (await promisify(execFile)(process.execPath, args, { env, cwd: dir })).stdout.trim();
  }

  it('set the wall clock and leave the monotonic one', async () => {
    faults.clockAhead(-300_000);
    const before = await node('console.log(Date.now())');
    assert.ok(Math.abs(Date.now() - Number(before) - 300_000) < 10_000, `it says ${before}`);
    faults.clockAhead(0);
    const straight = await node('console.log(Date.now())');
    assert.ok(Math.abs(Date.now() - Number(straight)) < 10_000);
  });

  it('make syncs of database files fail, and know how much of the log was synced', async () => {
    const write = `
      import { DatabaseSync } from 'node:sqlite';
      import { fdatasyncSync, fstatSync, openSync, writeSync } from 'node:fs';
      const db = new DatabaseSync('a.sqlite');
      db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t VALUES (1)');
      const wal = openSync('a.sqlite-wal', 'r');
      let code = 'ok';
      try { fdatasyncSync(wal) } catch (error) { code = error.code }
      const other = openSync('other', 'w');
      writeSync(other, 'x');
      fdatasyncSync(other);
      console.log(code, fstatSync(wal).size);
      process.kill(process.pid, 'SIGKILL');`;
    const run = (script: string) => node(script).catch((error: { stdout: string }) => error.stdout.trim());
    const [code, size] = (await run(write)).split(' ');
    assert.equal(code, 'ok');
    assert.equal(faults.syncedBytes(), Number(size));
    assert.equal(faults.beganAnew(), false);
    faults.failSync(true);
    assert.match(await run(write), /^EIO /);
    assert.equal(faults.syncedBytes(), Number(size));
  });
});
