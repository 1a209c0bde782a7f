import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '@parley/runtime';
import { bulkReadContract } from '../../contract/bulk-read.contract.ts';
import { type Thing, things } from '../../contract/fixture.ts';
import { openSqliteBulkReader, sqliteBulkReader } from './bulk-read.ts';
import { openSqliteSnapshot } from './snapshot.ts';
import { createSqliteStore } from './store.ts';
import { openSqliteWriter } from './writer.ts';

function openFile() {
  const directory = mkdtempSync(join(tmpdir(), 'parley-snapshot-'));
  const path = join(directory, 'parley.db');
  const writer = openSqliteWriter({ path, clock: systemClock });
  const store = createSqliteStore({ writer, database: 'contract', clock: systemClock });
  return {
    directory,
    path,
    store,
    async close() {
      await store.close();
      await writer.close();
      rmSync(directory, { recursive: true });
    },
  };
}

bulkReadContract('SQLite', async () => {
  const { path, store, close } = openFile();
  return { store, close, reader: async () => openSqliteBulkReader({ path, database: 'contract' }) };
});

describe('a snapshot of a database file', () => {
  it('shows and copies what was there when it was opened, while the file is written to', async t => {
    const { directory, path, store, close } = openFile();
    t.after(close);
    await store.migrate([things]);
    const rows = store.collection(things);
    const put = (from: number, to: number) =>
      rows.insertMany(
        Array.from({ length: to - from }, (_, i) => ({ _id: `d${from + i}`, payload: new Uint8Array(4_000) })),
      );
    await put(0, 3_000);
    const snapshot = openSqliteSnapshot({ path });
    await put(3_000, 4_000);
    const steps: number[] = [];
    const target = join(directory, 'copy.db');
    const copying = snapshot.copyTo(target, (copied, total) => steps.push(copied / total));
    await put(4_000, 5_000);
    await copying;
    assert.equal(await sqliteBulkReader(snapshot.reader.db, 'contract').count(things), 3_000);
    await assert.rejects(
      snapshot.reader.write(() => 1),
      /for reading only/,
    );
    snapshot.close();
    assert.equal(steps.at(-1), 1);

    const copy = openSqliteSnapshot({ path: target, immutable: true });
    const found: Thing[] = [];
    for await (const portion of sqliteBulkReader(copy.reader.db, 'contract').read(things)) found.push(...portion);
    assert.equal(found.length, 3_000);
    assert.deepEqual(copy.check(), []);
    assert.deepEqual(copy.check(true), []);
    const again = createSqliteStore({ writer: copy.reader, database: 'contract', clock: systemClock });
    assert.equal((await again.collection(things).get('d2999'))?._id, 'd2999');
    assert.equal(await again.collection(things).get('d3000'), undefined);
    copy.close();
    for (const ending of ['-wal', '-shm', '-journal']) assert.ok(!existsSync(target + ending), ending);
    assert.equal((await rows.get('d4999'))?._id, 'd4999', 'the original has everything');
  });

  it('names a file that is no database, and says what is wrong with a damaged one', async t => {
    const { directory, path, store, close } = openFile();
    t.after(close);
    writeFileSync(join(directory, 'text.db'), 'x'.repeat(10_000));
    assert.throws(
      () => openSqliteSnapshot({ path: join(directory, 'text.db') }),
      /cannot read the database .*text\.db/,
    );
    assert.throws(() => openSqliteSnapshot({ path: join(directory, 'none.db') }), /none\.db/);

    await store.migrate([things]);
    await store
      .collection(things)
      .insertMany(Array.from({ length: 500 }, (_, i) => ({ _id: `d${i}`, payload: new Uint8Array(4_000) })));
    const snapshot = openSqliteSnapshot({ path });
    const target = join(directory, 'copy.db');
    await snapshot.copyTo(target);
    snapshot.close();
    const bytes = readFileSync(target);
    bytes.fill(0xff, 40 * 4_096, 60 * 4_096);
    writeFileSync(target, bytes);
    const copy = openSqliteSnapshot({ path: target, immutable: true });
    t.after(() => copy.close());
    assert.notDeepEqual(copy.check(), []);
  });
});
