import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../testing/installation.ts';
import { copyCheckpoints, placeCheckpoints } from './checkpoint-files.ts';
import { beginFolder, checkFiles, needSpace } from './folder.ts';
import { type ExportManifest, readManifest } from './manifest.ts';

const empty: Omit<ExportManifest, 'files'> = {
  format: 'parley-export',
  version: 1,
  server: '0.1.0',
  created: '2026-01-05T09:00:00.000Z',
  createdMs: 1,
  keys: false,
  log: { epoch: 1, partitions: [] },
  archive: [],
  collections: [],
  left: [],
};

describe('a folder that grows', () => {
  it('is there as a whole or not at all, and nobody else can read it', t => {
    const at = scratch(t);
    const folder = beginFolder(at('out'), 'an export');
    folder.write('a/one.txt', 'one');
    folder.copy('two.txt', join(folder.dir, 'a/one.txt'));
    assert.ok(!existsSync(at('out')));
    assert.throws(() => beginFolder(at('out'), 'an export'), /out\.partial exists: an export is under way/);
    const sha256 = folder.finish(empty);
    assert.ok(!existsSync(folder.dir));
    const read = readManifest(at('out'), 'parley-export', sha256.toUpperCase());
    assert.deepEqual(
      read.manifest.files.map(({ path, bytes }) => [path, bytes]),
      [
        ['a/one.txt', 3],
        ['two.txt', 3],
      ],
    );
    for (const [path, mode] of [
      ['.', 0o700],
      ['a', 0o700],
      ['a/one.txt', 0o600],
      ['manifest.json', 0o600],
    ] as const)
      assert.equal(statSync(at(`out/${path}`)).mode & 0o777, mode, path);
    assert.throws(() => beginFolder(at('out'), 'an export'), /out exists; name a new directory/);
  });

  it('leaves nothing behind when it is abandoned', t => {
    const at = scratch(t);
    const folder = beginFolder(at('out'), 'an export');
    folder.write('one.txt', 'one');
    folder.abandon();
    assert.ok(!existsSync(folder.dir));
    beginFolder(at('out'), 'an export');
  });

  it('is compared with its manifest: every change of a file is found', async t => {
    const at = scratch(t);
    const folder = beginFolder(at('out'), 'an export');
    for (const name of ['changed', 'longer', 'missing', 'link', 'same']) folder.write(name, name);
    folder.finish(empty);
    const { files } = readManifest(at('out'), 'parley-export').manifest;
    assert.deepEqual(await checkFiles(at('out'), files), []);
    writeFileSync(at('out/changed'), 'chanGed');
    appendFileSync(at('out/longer'), '!');
    rmSync(at('out/missing'));
    renameSync(at('out/link'), at('elsewhere'));
    symlinkSync(at('elsewhere'), at('out/link'));
    writeFileSync(at('out/more'), '');
    assert.deepEqual(await checkFiles(at('out'), files), [
      "changed was changed: its SHA-256 differs from the manifest's",
      'link is no plain file',
      'longer has 7 bytes, not 6',
      'missing is missing',
      'more is not in the manifest',
    ]);
  });

  it('needs room', t => {
    assert.throws(() => needSpace(scratch(t)('x/y'), 1e18), /needs \d+ MB and its file system has \d+ MB free/);
    needSpace(scratch(t)('x/y'), 1);
  });
});

describe('a manifest', () => {
  const written = (t: { after(fn: () => void): void }, change: object) => {
    const dir = scratch(t)('out');
    const folder = beginFolder(dir, 'an export');
    folder.finish({ ...empty, ...change });
    return dir;
  };
  const read = (dir: string) => () => readManifest(dir, 'parley-export');

  it('of a newer format is refused, naming both versions', t => {
    assert.throws(
      read(written(t, { version: 2, server: '9.1.0' })),
      /format version 2, this server \S+ reads version 1; .*"9\.1\.0"/,
    );
    assert.throws(read(written(t, { version: 'x' })), /format version "x"/);
    assert.throws(read(written(t, { version: undefined })), /format version undefined/);
  });

  it('of a newer server is refused, naming both', t => {
    assert.throws(
      read(written(t, { server: '99.0.0' })),
      /written by server 99\.0\.0, this is \d+\.\d+\.\d+: install 99\.0\.0/,
    );
  });

  it('of something else, or one that is none, is refused', t => {
    const at = scratch(t);
    mkdirSync(at('none'));
    assert.throws(read(at('none')), /none is no export: it has no manifest\.json/);
    assert.throws(read(at('missing')), /missing is no export/);
    assert.throws(read(written(t, { format: 'parley-backup' })), /is no export: its format is "parley-backup"/);
    for (const text of ['', '[]', 'null', '{"format":']) {
      writeFileSync(at('none/manifest.json'), text);
      assert.throws(read(at('none')), text);
    }
    assert.throws(read(written(t, { archive: [{ chain: 'c', first: 0, next: -1, hash: '' }] })), /archive\.0\.next/);
  });

  it('that names a file outside of the folder is refused', t => {
    for (const path of ['../x', '/etc/x', 'a/../../x', 'a//x', '.hidden', 'a\\x', '']) {
      const dir = written(t, {});
      const file = join(dir, 'manifest.json');
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as ExportManifest;
      writeFileSync(file, JSON.stringify({ ...manifest, files: [{ path, bytes: 0, sha256: '0'.repeat(64) }] }));
      assert.throws(read(dir), /files\.0\.path/, path);
    }
  });

  it('other than the one expected is refused', t => {
    const dir = written(t, {});
    assert.throws(
      () => readManifest(dir, 'parley-export', '0'.repeat(64)),
      /not the manifest you expect: its SHA-256 is [0-9a-f]{64}/,
    );
  });
});

describe('the second place of the checkpoints', () => {
  const SNAPSHOT = 1_000_000;
  const CHAIN = '0000000000000007/archive/0000';
  const line = (next: number, atMs: number, topic = 'archive') =>
    JSON.stringify({
      epoch: 7,
      topic,
      partition: 0,
      first: 0,
      next,
      hash: 'ab',
      atMs,
      keyId: 'k',
      signature: `${next}`,
    });
  const NAME = '0000000000000007_archive_0000.jsonl';

  function copied(t: { after(fn: () => void): void }, lines: readonly string[]): string[] {
    const at = scratch(t);
    mkdirSync(at('checkpoints'));
    writeFileSync(at(`checkpoints/${NAME}`), lines.join('\n'));
    const folder = beginFolder(at('out'), 'a backup');
    copyCheckpoints(folder, at('checkpoints'), SNAPSHOT, new Map([[CHAIN, 10]]));
    return readFileSync(join(folder.dir, 'checkpoints', NAME), 'utf8').split('\n');
  }

  it('is copied as it was at the time of the snapshot', t => {
    const before = [line(5, 900_000), line(10, SNAPSHOT - 5)];
    assert.deepEqual(copied(t, [...before, line(12, SNAPSHOT + 5), line(11, SNAPSHOT - 5), '']), [...before, '']);
  });

  it('is copied with old statements beyond the chain: they prove that something is lost', t => {
    const lines = [line(50, SNAPSHOT - 61_000), line(5, 900_000), 'a line cut sho', ''];
    assert.deepEqual(copied(t, lines), lines);
  });

  it('keeps files that are there when it is put back', t => {
    const at = scratch(t);
    const folder = beginFolder(at('backup'), 'a backup');
    folder.write(`checkpoints/${NAME}`, 'old');
    folder.write('checkpoints/other.jsonl', 'other');
    folder.finish(empty);
    mkdirSync(at('second'));
    writeFileSync(at(`second/${NAME}`), 'newer');
    const { files } = readManifest(at('backup'), 'parley-export').manifest;
    assert.deepEqual(placeCheckpoints(at('backup'), files, at('second')), { placed: 1, kept: [NAME] });
    assert.equal(readFileSync(at(`second/${NAME}`), 'utf8'), 'newer');
    assert.equal(readFileSync(at('second/other.jsonl'), 'utf8'), 'other');
  });
});
