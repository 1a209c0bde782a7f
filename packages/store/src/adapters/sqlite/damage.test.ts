import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { systemClock } from '@parley/runtime';
import type { CollectionSpec, Doc } from '../../store.ts';
import { createSqliteStore } from './store.ts';
import { openWalSync } from './wal-sync.ts';
import { openSqliteWriter, type SqliteWriterOptions } from './writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'parley-damage-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = () => join(directory, `${++files}`, 'parley.sqlite');
const open = (path: string, rest: Partial<SqliteWriterOptions> = {}) =>
  openSqliteWriter({ path, clock: systemClock, checkBytes: 1 << 28, ...rest });

interface Note extends Doc {
  readonly who: string;
  readonly text: string;
}
const notes: CollectionSpec<Note> = {
  name: 'notes',
  indexes: { who: { kind: 'ordered', fields: ['who'] } },
};
const note = (n: number): Note => ({ _id: `${n}`, who: `p${n % 7}`, text: 'x'.repeat(200) });

/** A file with a few hundred documents, closed in order. */
async function filled(): Promise<string> {
  const path = newFile();
  const writer = open(path);
  const store = createSqliteStore({ writer, database: 'test', clock: systemClock });
  await store.migrate([notes]);
  await store.collection(notes).insertMany(Array.from({ length: 400 }, (_, n) => note(n)));
  await writer.close();
  return path;
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

const refusal = (path: string, what: RegExp) => (error: Error & { code?: string }) => {
  assert.equal(error.code, 'store.unavailable');
  assert.ok(error.message.startsWith(path) || error.message.includes(` ${path} `), `names the file: ${error.message}`);
  assert.match(error.message, what);
  return true;
};

describe('a damaged database file', () => {
  it('is refused when its header is something else, and stays as it is', () => {
    const path = newFile();
    mkdirSync(join(path, '..'));
    writeFileSync(path, Buffer.alloc(8192, 'garbage '));
    assert.throws(() => open(path), refusal(path, /is damaged \(file is not a database\).*restore the newest backup/));
    assert.equal(statSync(path).size, 8192);
    assert.equal(existsSync(`${path}-wal`), false);
    writeFileSync(path, '');
    const writer = open(path); // the lock is free again
    return writer.close();
  });

  it('is refused when pages were flipped or the file was cut, before anything is written', async () => {
    const path = await filled();
    const bytes = statSync(path).size;
    const copy = newFile();
    mkdirSync(join(copy, '..'));
    copyFileSync(path, copy);
    for (let page = 3; page * 4096 < bytes; page += 2) overwrite(path, page * 4096, Buffer.alloc(64, 0xa5));
    assert.throws(() => open(path), refusal(path, /is damaged .*restore the newest backup/));
    truncateSync(copy, Math.floor(bytes / 8192) * 4096);
    assert.throws(() => open(copy), refusal(copy, /is damaged .*restore the newest backup/));
  });

  it('that is larger than what is checked is trusted until a read meets the damage, and then no more', async () => {
    const path = await filled();
    const bytes = statSync(path).size;
    const writer = open(path, { checkBytes: 0 });
    const store = createSqliteStore({ writer, database: 'test', clock: systemClock });
    const collection = store.collection(notes);
    assert.ok(await collection.get('1'));
    for (let page = 4; page * 4096 < bytes; page++) overwrite(path, page * 4096, Buffer.alloc(4096, 0xa5));
    writer.db.exec('PRAGMA shrink_memory');
    const everything = async () => {
      for (let n = 0; n < 400; n++) await collection.get(`${n}`);
    };
    await assert.rejects(everything(), refusal(path, /is damaged .*restore the newest backup/));
    assert.deepEqual([writer.healthy, store.connected], [false, false]);
    await assert.rejects(collection.insert(note(1000)), refusal(path, /is damaged/));
    await assert.rejects(async () => collection.get('1'), refusal(path, /is damaged/));
    await writer.close();
  });
});

describe('a log that could not be synced', () => {
  const table = (db: DatabaseSync) => void db.exec('CREATE TABLE t (n INTEGER PRIMARY KEY)');
  const put = (n: number) => (db: DatabaseSync) => void db.prepare('INSERT INTO t VALUES (?)').run(n);

  /** A writer whose sync fails when it is told to. */
  function failing(path: string) {
    let fails = false;
    const walSync: SqliteWriterOptions['walSync'] = file => {
      const real = openWalSync(file);
      return {
        ...real,
        sync: async () => {
          await real.sync();
          if (fails) throw new Error('EIO: i/o error, fdatasync');
        },
      };
    };
    return { writer: open(path, { walSync }), fail: (next: boolean) => (fails = next) };
  }

  it('leaves the outcome of its group open and refuses whatever comes after, though the disk works again', async () => {
    const path = newFile();
    const { writer, fail } = failing(path);
    await writer.write(table);
    fail(true);
    const open = { code: 'store.unavailable', outcome: 'unknown' };
    await Promise.all([1, 2].map(n => assert.rejects(writer.write(put(n)), open)));
    fail(false);
    const refused = { code: 'store.unavailable', outcome: 'not-applied' };
    await assert.rejects(writer.write(put(3)), refused);
    await assert.rejects(
      writer.write(put(4)),
      refusal(path, /could not be made durable.*check the disk, then restart/),
    );
    assert.equal(writer.healthy, false);
    await writer.close();
  });

  it('lets nobody find what it may not hold', async () => {
    const path = newFile();
    const { writer, fail } = failing(path);
    const store = createSqliteStore({ writer, database: 'test', clock: systemClock });
    await store.migrate([notes]);
    const collection = store.collection(notes);
    fail(true);
    const insert = assert.rejects(collection.insert(note(1)), { code: 'store.unavailable', outcome: 'unknown' });
    while (writer.durable() === undefined) await new Promise(resolve => setImmediate(resolve));
    await assert.rejects(collection.get('1'), { code: 'store.unavailable' }); // committed, its sync is under way
    await insert;
    await assert.rejects(collection.get('1'), { code: 'store.unavailable' });
    await assert.rejects(collection.scan('who', { limit: 10 }), { code: 'store.unavailable' });
    await writer.close();
  });

  it('is not copied into the file when the writer closes', async () => {
    const path = newFile();
    const { writer, fail } = failing(path);
    await writer.write(table);
    const size = statSync(path).size;
    fail(true);
    await assert.rejects(writer.write(put(1)));
    await writer.close();
    assert.equal(statSync(path).size, size);
    assert.ok(statSync(`${path}-wal`).size > 0);
  });
});
