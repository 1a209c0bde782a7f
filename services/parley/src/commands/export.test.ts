import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Doc } from '@parley/store';
import { append, contents, installation, put, scratch } from '../testing/installation.ts';
import { readManifest } from '../transfer/manifest.ts';
import { type Progress, silent } from '../transfer/progress.ts';
import { type CommandContext, withTopology } from './context.ts';
import { exportAll } from './export.ts';
import { importAll } from './import.ts';

const people = Array.from({ length: 3_000 }, (_, i) => ({
  _id: `p${i}`,
  kind: 'user',
  sortName: `n${i}`,
  prefixes: ['n'],
}));
const events = Array.from({ length: 6_000 }, (_, i) => ({
  _id: `p1.${i}`,
  conv: 'd_1',
  key: `key${String(i).padStart(6, '0')}`,
  recipients: ['p1', 'p2'],
  payload: new Uint8Array([i % 256, 0, 255]),
}));

/** People, messages, records that archiving has still to read, and things that stay behind. */
async function filled(dir: string): Promise<CommandContext> {
  const context = await installation(dir);
  await put(context, 'directory_people', people);
  await put(context, 'directory_accounts', [{ _id: 'p1', roles: ['administrator'], password: '$argon2id$x' } as Doc]);
  await put(context, 'directory_attempts', [{ _id: 'p:p1', failures: 3, expiresMs: 9e15 } as Doc]);
  await put(context, 'im_events', events);
  await put(context, 'presence_leases', [{ _id: 'pod', v: 1, expiresAt: 1, dueAt: 1 } as Doc]);
  await append(context, 50);
  return context;
}

const headOf = (context: CommandContext) =>
  withTopology(context, async topology => ({
    epoch: await topology.eventLog.epoch(),
    records: (await topology.eventLog.ends('archive')).reduce((sum, { high }) => sum + high, 0),
  }));

describe('parley export and import', () => {
  it('carry everything but what is decided to stay, once the log is read to its end', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    const said = await exportAll(source, { to: at('export') }, silent);
    assert.match(said.join('\n'), /left behind: directory_attempts/);
    const { manifest } = readManifest(at('export'), 'parley-export');
    assert.equal(
      manifest.archive.reduce((sum, { next }) => sum + next, 0),
      50,
      'what was in the log is in the archive',
    );
    for (const { high, committed } of manifest.log.partitions)
      assert.deepEqual(committed, { archiving: high, 'im-reconcile': high });

    const target = await installation(at('new'));
    await importAll(target, { from: at('export') }, silent);
    const [before, after] = [await contents(source), await contents(target)];
    const left: Readonly<Record<string, object>> = { directory_attempts: {}, archive_verifications: {} };
    assert.deepEqual(
      Object.keys(left).map(name => after[name]),
      Object.values(left),
    );
    assert.deepEqual(after, { ...before, ...left });
    assert.equal(Object.keys(after['im_events'] ?? {}).length, 6_000);
    const [old, now] = [await headOf(source), await headOf(target)];
    assert.notEqual(now.epoch, old.epoch);
    assert.equal(now.records, 0, 'the log of the new installation begins empty');
    const kept = readdirSync(at('new/keys')).filter(name => /^checkpoint-[0-9a-f]+\.pub$/.test(name));
    assert.equal(kept.length, 1, 'the key that signed before is known');
    assert.deepEqual(readdirSync(at('new/checkpoints')), readdirSync(at('old/checkpoints')));
    assert.match((await importAll(target, { from: at('export') }, silent)).join(), /was imported .*; nothing to do/);
  });

  it('carry keys when told to, into a place without any', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export'), keys: true }, silent);
    const target = await installation(at('new'));
    await assert.rejects(importAll(target, { from: at('export') }, silent), /is another key .*--no-keys/);
    assert.deepEqual((await contents(target))['directory_people'], {}, 'nothing was imported');
    const elsewhere = { ...target, config: { ...target.config, keysDir: at('carried') } };
    await importAll(elsewhere, { from: at('export') }, silent);
    for (const name of readdirSync(at('old/keys')))
      assert.deepEqual(readFileSync(at(`carried/${name}`)), readFileSync(at(`old/keys/${name}`)), name);
  });

  it('go on where they were cut off', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export') }, silent);
    const target = await installation(at('new'));
    const cut: Progress = {
      ...silent,
      at: text => {
        if (/^im_events: [5-9]\d\d\d /.test(text)) throw new Error('cut');
      },
    };
    await assert.rejects(importAll(target, { from: at('export') }, cut), /cut/);
    const half = await contents(target);
    const there = Object.keys(half['im_events'] ?? {}).length;
    assert.ok(there > 0 && there <= 6_000, `${there}`);
    assert.deepEqual(half['directory_accounts'], {}, 'nobody can sign in to half an installation');
    await importAll(target, { from: at('export') }, silent);
    assert.deepEqual((await contents(target))['im_events'], (await contents(source))['im_events']);
    assert.equal(Object.keys((await contents(target))['directory_accounts'] ?? {}).length, 1);
  });

  it('do not go on with another export, nor over what others changed', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export') }, silent);
    await exportAll(source, { to: at('other') }, silent);
    const target = await installation(at('new'));
    const cut: Progress = {
      ...silent,
      at: text => {
        if (text.startsWith('im_events:')) throw new Error('cut');
      },
    };
    await assert.rejects(importAll(target, { from: at('export') }, cut), /cut/);
    await assert.rejects(importAll(target, { from: at('other') }, silent), /another export was imported here/);
    await put(target, 'archive_names', [{ _id: 'x' }]);
    await assert.rejects(
      importAll(target, { from: at('export') }, silent),
      /archive_names: 0 documents were exported.* 1 are there/,
    );
  });

  it('refuse an installation that is not empty', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export') }, silent);
    const used = await installation(at('used'));
    await put(used, 'directory_policies', [{ _id: 'global' }]);
    await assert.rejects(importAll(used, { from: at('export') }, silent), /not empty \(directory_policies\)/);
    const logged = await installation(at('logged'));
    await append(logged, 1);
    await assert.rejects(importAll(logged, { from: at('export') }, silent), /topic archive holds 1 records/);
    await assert.rejects(importAll(source, { from: at('export') }, silent), /not empty|holds \d+ records/);
  });

  it('refuse an installation whose services run', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export') }, silent);
    const alive = await installation(at('alive'));
    await put(alive, 'presence_leases', [{ _id: 'pod2', v: 1, expiresAt: 9e15, dueAt: 9e15 } as Doc]);
    await assert.rejects(importAll(alive, { from: at('export') }, silent), /services of this installation run/);
    await assert.rejects(exportAll(alive, { to: at('again') }, silent), /services of this installation run/);
    const target = await installation(at('new'));
    await withTopology(target, () =>
      assert.rejects(importAll(target, { from: at('export') }, silent), /in use by another process/),
    );
  });

  it('refuse an export that was changed, and one made later than it is now', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    await exportAll(source, { to: at('export') }, silent);
    const target = await installation(at('new'));
    const manifest = readFileSync(at('export/manifest.json'), 'utf8');
    writeFileSync(at('export/manifest.json'), manifest.replace(/"createdMs": \d+/, '"createdMs": 9000000000000'));
    await assert.rejects(importAll(target, { from: at('export') }, silent), /database's clock says .*set the clock/);
    writeFileSync(at('export/manifest.json'), manifest.replace('"im_events"', '"im_dreams"'));
    await assert.rejects(importAll(target, { from: at('export') }, silent), /does not know: im_dreams/);
    writeFileSync(at('export/manifest.json'), manifest);
    appendFileSync(at('export/directory/directory_accounts.jsonl'), '{"_id":"intruder","roles":["administrator"]}\n');
    await assert.rejects(
      importAll(target, { from: at('export') }, silent),
      /directory_accounts\.jsonl has \d+ bytes.*|nothing was imported/,
    );
    assert.deepEqual((await contents(target))['directory_people'], {});
  });

  it('name who is behind when the log is not read to its end in time', async t => {
    const at = scratch(t);
    const source = await filled(at('old'));
    const slow = { ...source, config: { ...source.config, im: { ...source.config.im, keyVisibleMs: 20_000 } } };
    await assert.rejects(
      exportAll(slow, { to: at('export'), waitMs: 300 }, silent),
      /not read to its end after 0 s: .*im-reconcile is \d+ records behind in topic archive/,
    );
    assert.ok(!existsSync(at('export')) && !existsSync(at('export.partial')));
  });
});
