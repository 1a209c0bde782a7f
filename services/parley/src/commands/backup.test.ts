import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { openSqliteWriter } from '@parley/store';
import { ManualClock } from '@parley/testkit';
import { append, contents, installation, put, scratch } from '../testing/installation.ts';
import { readManifest } from '../transfer/manifest.ts';
import { silent } from '../transfer/progress.ts';
import { backup, verifyBackup } from './backup.ts';
import { commandContext, withTopology } from './context.ts';
import { restore } from './restore.ts';

const system = { clock: systemClock, ids: systemIds };
const people = Array.from({ length: 500 }, (_, i) => ({
  _id: `p${i}`,
  kind: 'user',
  sortName: `n${i}`,
  prefixes: ['n'],
}));
const optionsOf = (dataDir: string) => ({ config: `${dataDir}.config.yaml`, dataDir });
/** An installation as a restore made it. */
const restored = (dataDir: string) => commandContext({ dataDir }, 'warn');

describe('parley backup', () => {
  it('copies an installation that is in use, and restore makes the same one of it elsewhere', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    await put(context, 'directory_people', people);
    await append(context, 20);
    mkdirSync(at('data/checkpoints'));
    writeFileSync(at('data/checkpoints/x.jsonl'), 'line\n');
    const before = await contents(context);
    const said = await withTopology(context, async topology => {
      await topology.store('directory');
      return backup(context, { ...optionsOf(at('data')), to: at('backup') }, silent);
    });
    assert.match(said.join('\n'), /not inside: private keys/);
    assert.match(said.join('\n'), /same file system as the data/);
    assert.ok(existsSync(at('data/last-backup.json')));
    for (const name of ['manifest.json', 'parley.sqlite', 'parley.yaml', 'keys/checkpoint.pub', 'checkpoints/x.jsonl'])
      assert.equal(statSync(at(`backup/${name}`)).mode & 0o777, 0o600, name);
    assert.deepEqual(readdirSync(at('backup/keys')), ['checkpoint.pub']);
    const { manifest } = readManifest(at('backup'), 'parley-backup');
    assert.equal(manifest.documents['directory_people'], 500);
    assert.equal(
      manifest.log.partitions.reduce((sum, p) => sum + p.high, 0),
      20,
    );
    assert.match((await verifyBackup(at('backup'), { full: true }, silent)).join('\n'), /is whole: 4 files/);

    const done = await restore(system, { from: at('backup'), dataDir: at('new') }, silent);
    assert.match(done.join('\n'), /begins a new epoch/);
    assert.deepEqual(await contents(restored(at('new'))), before);
    assert.equal(readFileSync(at('new/checkpoints/x.jsonl'), 'utf8'), 'line\n');
    assert.equal(statSync(at('new/parley.sqlite')).mode & 0o777, 0o600);
    const [old, now] = await Promise.all([
      withTopology(context, topology => topology.eventLog.epoch()),
      withTopology(restored(at('new')), topology => topology.eventLog.epoch()),
    ]);
    assert.ok(now > old, 'places of the two histories differ');
    const publicKey = readdirSync(at('new/keys')).find(name => /^checkpoint-[0-9a-f]{16}\.pub$/.test(name));
    assert.deepEqual(readFileSync(at(`new/keys/${publicKey}`)), readFileSync(at('data/keys/checkpoint.pub')));
    assert.notDeepEqual(readFileSync(at('new/keys/checkpoint.pub')), readFileSync(at('data/keys/checkpoint.pub')));
  });

  it('takes private keys along only when told to, and restore puts them back or leaves them out', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    const said = await backup(context, { ...optionsOf(at('data')), to: at('backup'), keys: true }, silent);
    assert.match(said.join('\n'), /can sign in as anybody/);
    await restore(system, { from: at('backup'), dataDir: at('new') }, silent);
    for (const name of readdirSync(at('data/keys')))
      assert.deepEqual(readFileSync(at(`new/keys/${name}`)), readFileSync(at(`data/keys/${name}`)), name);
    assert.equal(statSync(at('new/keys/refresh.key')).mode & 0o777, 0o600);
    await restore(system, { from: at('backup'), dataDir: at('without'), keys: false }, silent);
    assert.notDeepEqual(readFileSync(at('without/keys/refresh.key')), readFileSync(at('data/keys/refresh.key')));
  });

  it('refuses a target that exists, a data directory without a database, and a pool', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    mkdirSync(at('there'));
    await assert.rejects(backup(context, { to: at('there') }, silent), /there exists; name a new directory/);
    const nowhere = { ...context, config: { ...context.config, dataDir: at('nowhere') } };
    await assert.rejects(backup(nowhere, { to: at('b') }, silent), /no database .*nowhere/);
    const pool = { ...context, config: { ...context.config, topology: 'pool' as const } };
    await assert.rejects(backup(pool, { to: at('b') }, silent), /mongodump.*parley export/);
    assert.ok(!existsSync(at('b')) && !existsSync(at('b.partial')));
  });

  it('copies a database that is still to be migrated: that is when one wants a backup', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    const older = { ...context, config: { ...context.config, dataDir: at('older') } };
    mkdirSync(at('older'));
    await openSqliteWriter({ path: at('older/parley.sqlite'), clock: systemClock }).close();
    await backup(older, { ...optionsOf(at('data')), to: at('backup') }, silent);
    assert.deepEqual(readManifest(at('backup'), 'parley-backup').manifest.archive, []);
    await restore(system, { from: at('backup'), dataDir: at('new') }, silent);
  });

  it('makes no backup of a damaged database, and leaves nothing behind', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    await put(context, 'directory_people', people);
    const bytes = readFileSync(at('data/parley.sqlite'));
    bytes.fill(0xff, bytes.length - 12 * 4_096, bytes.length - 2 * 4_096);
    writeFileSync(at('data/parley.sqlite'), bytes);
    await assert.rejects(backup(context, { to: at('backup') }, silent), /damaged|malformed/);
    assert.ok(!existsSync(at('backup')) && !existsSync(at('backup.partial')));
  });

  it('is found out when it was changed', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    await backup(context, { ...optionsOf(at('data')), to: at('backup') }, silent);
    appendFileSync(at('backup/parley.yaml'), 'insecureBind: true\n');
    await assert.rejects(verifyBackup(at('backup'), {}, silent), /parley\.yaml has \d+ bytes, not \d+/);
    await assert.rejects(restore(system, { from: at('backup'), dataDir: at('new') }, silent), /nothing was restored/);
    assert.ok(!existsSync(at('new')));
    await assert.rejects(verifyBackup(at('backup'), { manifestSha256: 'ab' }, silent), /not the manifest you expect/);
  });
});

describe('parley restore', () => {
  it('refuses a directory that is not empty, but takes what an earlier attempt left of itself', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    await backup(context, { ...optionsOf(at('data')), to: at('backup') }, silent);
    await assert.rejects(restore(system, { from: at('backup'), dataDir: at('data') }, silent), /data is not empty \(/);
    mkdirSync(at('new/restore.partial'), { recursive: true });
    writeFileSync(at('new/restore.partial/parley.sqlite'), 'half');
    await restore(system, { from: at('backup'), dataDir: at('new') }, silent);
    assert.ok(!existsSync(at('new/restore.partial')));
  });

  it('refuses to restore while the clock is before the time of the backup', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    await backup(context, { ...optionsOf(at('data')), to: at('backup') }, silent);
    const clock = new ManualClock(Date.UTC(2020, 0, 1));
    await assert.rejects(
      restore({ clock, ids: systemIds }, { from: at('backup'), dataDir: at('new') }, silent),
      /clock says 2020-01-01T00:00:00\.000Z and the backup was made 2\d{3}-.*set the clock/,
    );
    assert.ok(!existsSync(at('new')));
  });

  it('leaves a second place of checkpoints that survived as it is, and names places that two could share', async t => {
    const at = scratch(t);
    const context = await installation(at('data'));
    const config = JSON.parse(readFileSync(at('data.config.yaml'), 'utf8')) as object;
    writeFileSync(at('data.config.yaml'), JSON.stringify({ ...config, checkpointCopyDir: at('second') }));
    mkdirSync(at('second'));
    writeFileSync(at('second/x.jsonl'), 'old\n');
    const moved = { ...context, config: { ...context.config, checkpointCopyDir: at('second') } };
    await backup(moved, { ...optionsOf(at('data')), to: at('backup') }, silent);
    writeFileSync(at('second/x.jsonl'), 'old\nnewer\n');
    const said = await restore(system, { from: at('backup'), dataDir: at('new') }, silent);
    assert.equal(readFileSync(at('second/x.jsonl'), 'utf8'), 'old\nnewer\n');
    assert.match(said.join('\n'), /1 were there and stay as they are/);
    assert.match(said.join('\n'), /checkpointCopyDir is .*second, outside of the data directory/);
  });
});
