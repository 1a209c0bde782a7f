import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { withLock } from './lock.ts';
import { freePorts, isFree, PORT_RANGE } from './net.ts';
import { isAlive, killTree, parseStat, processTree, refOf, waitGone } from './proc.ts';
import { KEPT_FAILURES, openRun, runRecords, sweep } from './run.ts';

const quiet = (): void => {};

describe('processes', () => {
  it('are parsed whatever their name looks like', () => {
    const fields = ['S', '42', ...Array.from({ length: 17 }, () => '0'), '777', '0'].join(' ');
    assert.deepEqual(parseStat(`9 (a) b (c)) ${fields}\n`), { state: 'S', ppid: 42, start: '777' });
    assert.equal(parseStat('nonsense'), undefined);
  });

  it('are killed as a whole tree, across sessions, and then count as gone', async () => {
    const child = spawn('sh', ['-c', 'setsid sleep 60 & sleep 60 & echo up; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const tree = processTree(pid);
    assert.equal(tree.length, 3);
    const refs = tree.map(member => refOf(member)).filter(ref => ref !== undefined);
    killTree(pid);
    assert.equal(await waitGone(refs, 5000), true);
    assert.deepEqual(processTree(pid), []);
  });

  it('are not confused with a later one of the same pid', () => {
    const self = refOf(process.pid);
    assert.ok(self);
    assert.equal(isAlive(self), true);
    assert.equal(isAlive({ ...self, start: '1' }), false);
    assert.equal(isAlive({ ...self, boot: 'another' }), false);
  });
});

describe('a cache of its own', () => {
  const before = process.env.XDG_CACHE_HOME;
  const home = mkdtempSync(join(tmpdir(), 'parley-backends-'));
  process.env.XDG_CACHE_HOME = home;
  after(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(home, { recursive: true, force: true });
  });

  it('lets one holder of a lock in at a time', async () => {
    const file = join(home, 'some.lock');
    const events: string[] = [];
    const body = (name: string) => async (): Promise<void> => {
      events.push(`${name} in`);
      await new Promise(resolve => setTimeout(resolve, 20));
      events.push(`${name} out`);
    };
    await Promise.all([withLock(file, body('a')), withLock(file, body('b'))]);
    assert.deepEqual(
      events.map(event => event.slice(2)),
      ['in', 'out', 'in', 'out'],
    );
    await assert.rejects(
      withLock(file, () => Promise.reject(new Error('boom'))),
      /boom/,
    );
  });

  it('gives out free ports below the ephemeral range, none twice', async () => {
    const [first = 0] = await freePorts(1, new Set());
    const ports = await freePorts(20, new Set([first]));
    assert.equal(new Set([first, ...ports]).size, 21);
    assert.ok(ports.every(port => port >= PORT_RANGE.from && port <= PORT_RANGE.to));
    assert.equal(await isFree(first), true);
  });

  it('keeps two runs apart and forgets a run that ended well', async () => {
    const [one, two] = await Promise.all([openRun(['x', 'y'], quiet), openRun(['x'], quiet)]);
    assert.notEqual(one.dir, two.dir);
    assert.equal(new Set([one.port('x'), one.port('y'), two.port('x')]).size, 3);
    assert.throws(() => one.port('z'), /no port was reserved/);
    one.close('clean');
    two.close('clean');
    assert.deepEqual(runRecords(), []);
  });

  it('refuses a folder that another run is using', async () => {
    const dir = join(home, 'mine');
    const run = await openRun([], quiet, dir);
    await assert.rejects(openRun([], quiet, dir), /is in use by process/);
    run.close('clean');
    await openRun([], quiet, dir).then(again => again.close('clean'));
  });

  it('kills what a dead owner left, keeps the newest failures and drops older ones', async () => {
    for (let i = 0; i <= KEPT_FAILURES; i++) (await openRun([], quiet)).close('failed');
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(sleeper, 'spawn');
    const orphan = refOf(sleeper.pid ?? 0);
    assert.ok(orphan);
    const script = `import { openRun } from ${JSON.stringify(join(import.meta.dirname, 'run.ts'))};
      const run = await openRun([], () => {});
      run.server("sleeper").onStart(${JSON.stringify(orphan)});
      process.kill(process.pid, "SIGKILL");`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    await once(owner, 'exit');
    assert.equal(runRecords().filter(record => record.state === 'running').length, 1);
    sweep(quiet);
    assert.equal(await waitGone([orphan], 5000), true);
    assert.deepEqual(
      runRecords().map(record => record.state),
      Array(KEPT_FAILURES).fill('failed'),
    );
  });
});
