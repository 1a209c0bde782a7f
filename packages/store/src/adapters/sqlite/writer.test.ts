import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { systemClock } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { StoreError } from '../../errors.ts';
import { createSqliteStore } from './store.ts';
import { openSqliteWriter } from './writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'parley-writer-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = () => join(directory, `${++files}`, 'parley.db');
const table = (db: DatabaseSync) => db.exec('CREATE TABLE t (n INTEGER PRIMARY KEY, x)');
const put =
  (n: number, x = '') =>
  (db: DatabaseSync) =>
    db.prepare('INSERT INTO t VALUES (?, ?)').run(n, x).changes;
const numbers = (db: DatabaseSync) =>
  db
    .prepare('SELECT n FROM t ORDER BY n')
    .all()
    .map(r => r.n);

/** Starts the program beside this file in a process of its own. */
/** Processes that were started: a test that fails must leave none behind, or the run never ends. */
const children: ChildProcess[] = [];
after(() => children.forEach(child => child.kill('SIGKILL')));

function start(mode: string, path: string): ChildProcess {
  const program = join(import.meta.dirname, 'writer.child.ts');
  const child = spawn(process.execPath, [program, mode, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** What the process prints, line by line. */
function output(child: ChildProcess): Interface {
  assert.ok(child.stdout);
  return createInterface({ input: child.stdout });
}

describe('the SQLite writer', () => {
  it('commits writes that meet together, and no more than that', async () => {
    const writer = openSqliteWriter({ path: newFile(), clock: systemClock });
    await writer.write(table);
    assert.equal(writer.commits, 1);
    await Promise.all(Array.from({ length: 50 }, (_, n) => writer.write(put(n))));
    assert.equal(writer.commits, 2);
    for (const n of [100, 101, 102]) await writer.write(put(n));
    assert.equal(writer.commits, 5);
    await writer.close();
  });

  it('takes no more writes into a commit than it is told', async () => {
    const writer = openSqliteWriter({ path: newFile(), clock: systemClock, commitOps: 20 });
    await writer.write(table);
    await Promise.all(Array.from({ length: 50 }, (_, n) => writer.write(put(n))));
    assert.equal(writer.commits, 4);
    await writer.close();
  });

  it('ends a commit that takes long', async () => {
    const clock = new ManualClock();
    let now = 0;
    const slow = {
      now: () => clock.now(),
      monotonic: () => (now += 1),
      timer: clock.timer.bind(clock),
      sleep: clock.sleep.bind(clock),
    };
    const writer = openSqliteWriter({ path: ':memory:', clock: slow, commitMs: 1 });
    await writer.write(table);
    await Promise.all(Array.from({ length: 48 }, (_, n) => writer.write(put(n))));
    assert.ok(writer.commits > 2);
    assert.equal(numbers(writer.db).length, 48);
    await writer.close();
  });

  it('waits for company when it is told to', async () => {
    const clock = new ManualClock();
    const writer = openSqliteWriter({ path: ':memory:', clock, commitDelayMs: 5 });
    const created = writer.write(table);
    const done = writer.write(put(1));
    assert.equal(writer.commits, 0);
    assert.equal(writer.queued, 2);
    await clock.advance(5);
    await Promise.all([created, done]);
    assert.equal(writer.commits, 1);
    await writer.close();
  });

  it('runs writes in the order of the calls and gives each its own result', async () => {
    const writer = openSqliteWriter({ path: ':memory:', clock: systemClock });
    void writer.write(table);
    const seen: number[] = [];
    const results = await Promise.all([3, 1, 2].map(n => writer.write(db => (seen.push(n), put(n)(db), n * 10))));
    assert.deepEqual(seen, [3, 1, 2]);
    assert.deepEqual(results, [30, 10, 20]);
    await writer.close();
  });

  it('undoes a write that throws, alone', async () => {
    const writer = openSqliteWriter({ path: ':memory:', clock: systemClock });
    await writer.write(table);
    const results = await Promise.allSettled([
      writer.write(put(1)),
      writer.write(db => {
        put(2)(db);
        throw new Error('changed its mind');
      }),
      writer.write(put(1)),
      writer.write(put(3)),
      writer.write(
        () => {
          throw new StoreError('store.bad_query', 'refused before any change');
        },
        { atomic: true },
      ),
      writer.write(put(4), { atomic: true }),
    ]);
    assert.deepEqual(
      results.map(r => r.status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal((results[1] as PromiseRejectedResult).reason.message, 'changed its mind');
    assert.deepEqual(numbers(writer.db), [1, 3, 4]);
    assert.equal(writer.commits, 2);
    assert.equal(writer.healthy, true);
    await writer.close();
  });

  it('fails the whole group when an atomic write breaks its promise', async () => {
    const writer = openSqliteWriter({ path: ':memory:', clock: systemClock });
    await writer.write(table);
    const results = await Promise.allSettled([
      writer.write(put(1)),
      writer.write(
        db => {
          put(2)(db);
          throw new Error('a defect');
        },
        { atomic: true },
      ),
      writer.write(put(3)),
    ]);
    // The third had not run: it goes with the next group.
    assert.deepEqual(
      results.map(r => r.status),
      ['rejected', 'rejected', 'fulfilled'],
    );
    for (const r of results.slice(0, 2)) assert.equal((r as PromiseRejectedResult).reason.outcome, 'not-applied');
    assert.deepEqual(numbers(writer.db), [3]);
    await writer.close();
  });

  it('says that nothing was applied when the disk is full, and recovers', async () => {
    const writer = openSqliteWriter({ path: newFile(), clock: systemClock });
    await writer.write(table);
    await writer.write(put(0));
    writer.db.exec('PRAGMA max_page_count=8');
    const group = await Promise.allSettled(
      [1, 2, 3].map(n => writer.write(put(n, 'x'.repeat(n === 3 ? 100_000 : 10)))),
    );
    for (const r of group) {
      assert.ok(r.status === 'rejected' && r.reason instanceof StoreError);
      assert.deepEqual([r.reason.code, r.reason.outcome], ['store.unavailable', 'not-applied']);
    }
    assert.equal(writer.healthy, false);
    assert.deepEqual(numbers(writer.db), [0]);
    writer.db.exec('PRAGMA max_page_count=1000000');
    await writer.write(put(99));
    assert.equal(writer.healthy, true);
    await writer.close();
  });

  it('refuses writes when too many wait', async () => {
    const writer = openSqliteWriter({ path: ':memory:', clock: systemClock, queueOps: 2 });
    const first = [writer.write(table), writer.write(put(1))];
    await assert.rejects(writer.write(put(2)), { code: 'store.overloaded', outcome: 'not-applied' });
    await Promise.all(first);
    await writer.write(put(3));
    await writer.close();
  });

  it('finishes what waits when it is closed, and refuses what comes after', async () => {
    const path = newFile();
    const writer = openSqliteWriter({ path, clock: systemClock });
    await writer.write(table);
    const waiting = [1, 2, 3].map(n => writer.write(put(n)));
    const closing = writer.close();
    await assert.rejects(writer.write(put(4)), { code: 'store.closed' });
    await Promise.all([closing, ...waiting, writer.close()]);
    const again = openSqliteWriter({ path, clock: systemClock });
    assert.deepEqual(numbers(again.db), [1, 2, 3]);
    await again.close();
  });

  it('lets other connections read while it writes', async () => {
    const path = newFile();
    const writer = openSqliteWriter({ path, clock: systemClock });
    await writer.write(table);
    const reader = new DatabaseSync(path, { readOnly: true });
    await writer.write(put(1));
    assert.deepEqual(numbers(reader), [1]);
    reader.close();
    await writer.close();
  });

  it('lets nobody read as stored what is not on disk yet', async () => {
    const path = newFile();
    const writer = openSqliteWriter({ path, clock: systemClock });
    const store = createSqliteStore({ writer, database: 'barrier', clock: systemClock });
    const spec = { name: 'docs', indexes: {} };
    await store.migrate([spec]);
    const c = store.collection(spec);
    const order: string[] = [];
    const commits = writer.commits;
    const written = c.insert({ _id: 'a' }).then(() => order.push('written'));
    while (writer.commits === commits) await new Promise(resolve => setImmediate(resolve));
    assert.ok(writer.durable());
    const found = c.get('a').then(doc => order.push(`read ${doc?._id}`));
    await Promise.all([written, found]);
    assert.deepEqual(order, ['written', 'read a']);
    assert.equal(writer.durable(), undefined);
    await writer.close();
  });

  it('keeps its files from other users', async () => {
    const path = newFile();
    const writer = openSqliteWriter({ path, clock: systemClock });
    await writer.write(table);
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o077, 0, file);
    await writer.close();
  });

  it('refuses a second process, and lets it in when the first is gone however it went', async () => {
    const path = newFile();
    const child = start('hold', path);
    assert.deepEqual(await once(output(child), 'line'), ['open']);
    assert.throws(() => openSqliteWriter({ path, clock: systemClock }), { code: 'store.locked' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const writer = openSqliteWriter({ path, clock: systemClock });
    assert.throws(() => openSqliteWriter({ path, clock: systemClock }), { code: 'store.locked' });
    await writer.close();
    await openSqliteWriter({ path, clock: systemClock }).close();
  });

  it('says what is wrong when the file cannot be opened', () => {
    assert.throws(
      () => openSqliteWriter({ path: join(import.meta.filename, 'no-directory', 'parley.db'), clock: systemClock }),
      {
        code: 'store.unavailable',
      },
    );
  });

  it('has everything it acknowledged after it was killed in the middle of writing', async () => {
    const path = newFile();
    const child = start('write', path);
    const acknowledged: string[] = [];
    const printed = output(child);
    printed.on('line', line => {
      acknowledged.push(line);
      if (acknowledged.length === 2000) child.kill('SIGKILL');
    });
    await once(printed, 'close');
    const writer = openSqliteWriter({ path, clock: systemClock });
    const store = createSqliteStore({ writer, database: 'kill', clock: systemClock });
    const { collection } = await import('./writer.child.ts');
    const c = store.collection(collection);
    assert.ok(acknowledged.length >= 2000);
    for (const id of acknowledged) {
      const doc = await c.get(id);
      assert.ok(doc, `${id} was acknowledged`);
      assert.equal(doc.payload?.[0], Number(id) & 255);
    }
    assert.deepEqual(
      writer.db
        .prepare('PRAGMA integrity_check')
        .all()
        .map(r => r.integrity_check),
      ['ok'],
    );
    const inbox = await c.scan('inbox', { equals: ['b'], limit: 10_000 });
    assert.ok(inbox.docs.length >= acknowledged.length);
    await store.close();
    await writer.close();
  });
});

it('keeps the log short under a load that never pauses', async () => {
  const path = newFile();
  const writer = openSqliteWriter({ path, clock: systemClock, checkpointOps: 100, checkpointPages: 100 });
  await writer.write(table);
  const text = 'x'.repeat(2000);
  let n = 0;
  const many = (db: DatabaseSync) => {
    for (let i = 0; i < 200; i++) put(n++, text)(db);
  };
  // Each write changes about a hundred pages: without copying, the log would have 40,000 of them.
  for (let i = 0; i < 400; i++) await writer.write(many);
  assert.ok(statSync(`${path}-wal`).size < 20_000 * 4096, `${statSync(`${path}-wal`).size} bytes`);
  assert.equal(writer.db.prepare('SELECT count(*) AS n FROM t').get()?.n, n);
  await writer.close();
  const again = openSqliteWriter({ path, clock: systemClock });
  assert.equal(again.db.prepare('SELECT count(*) AS n FROM t').get()?.n, n);
  await again.close();
});
