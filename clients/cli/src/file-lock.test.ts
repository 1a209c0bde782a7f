import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { configHome } from '../test/io.ts';
import { tryLock, withFileLock } from './file-lock.ts';

const holder = (pid: number, host = hostname()) => JSON.stringify({ token: 'somebody', pid, host });
/** A process that has ended. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('a lock file', () => {
  it('is held by one, and free again when he is done', async t => {
    const path = join(configHome(t), 'a.lock');
    const release = tryLock(path);
    assert.ok(release);
    assert.equal(tryLock(path), undefined);
    release();
    assert.ok(!existsSync(path));
    tryLock(path)?.();
  });

  it('is taken away from a process that is gone', t => {
    const dir = configHome(t);
    const path = join(dir, 'a.lock');
    writeFileSync(path, holder(deadPid()));
    const release = tryLock(path);
    assert.ok(release);
    release();
    assert.deepEqual(readdirSync(dir), []);
  });

  it('is taken away when nobody touched it for half a minute, whoever holds it', t => {
    const path = join(configHome(t), 'a.lock');
    writeFileSync(path, holder(1, 'another-machine'));
    assert.equal(tryLock(path), undefined, 'it may live');
    const old = new Date(Date.now() - 31_000);
    utimesSync(path, old, old);
    const release = tryLock(path);
    assert.ok(release);
    release();
  });

  it('is not given back by somebody who has lost it', t => {
    const path = join(configHome(t), 'a.lock');
    const release = tryLock(path);
    writeFileSync(path, holder(process.pid));
    release?.();
    assert.equal(readFileSync(path, 'utf8'), holder(process.pid));
  });

  it('lets one process after the other work, and none in between', async t => {
    const dir = configHome(t);
    const counter = join(dir, 'counter');
    writeFileSync(counter, '0');
    const script = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { withFileLock } from ${JSON.stringify(new URL('file-lock.ts', import.meta.url).href)};
      for (let i = 0; i < 25; i++)
        await withFileLock(${JSON.stringify(join(dir, 'a.lock'))}, 20_000, async () => {
          const value = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'));
          await new Promise(resolve => setImmediate(resolve));
          writeFileSync(${JSON.stringify(counter)}, String(value + 1));
        });`;
    const codes = await Promise.all(
      Array.from(
        { length: 3 },
        () =>
          new Promise(resolve =>
            spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }).on('exit', resolve),
          ),
      ),
    );
    assert.deepEqual(codes, [0, 0, 0]);
    assert.equal(readFileSync(counter, 'utf8'), '75');
  });

  it('is not waited for without end', async t => {
    const path = join(configHome(t), 'a.lock');
    const release = tryLock(path);
    await assert.rejects(
      withFileLock(path, 60, async () => undefined),
      /holds .*a\.lock for too long/,
    );
    release?.();
  });

  it('is given back when the work fails', async t => {
    const path = join(configHome(t), 'a.lock');
    await assert.rejects(
      withFileLock(path, 1_000, async () => {
        throw new Error('failed');
      }),
      /failed/,
    );
    assert.ok(!existsSync(path));
  });
});
