import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { MongoClient } from 'mongodb';
import { type CollectionSpec, connectMongoStore, type Doc, type Store, StoreError } from '../src/index.ts';
import { type Proxy, startProxy } from './proxy.ts';

const given = process.env.PARLEY_TEST_MONGO_URL;
const url = new URL(given ?? 'mongodb://127.0.0.1:27017/');
const database = `test_${systemIds.uuid().slice(0, 8)}`;

interface Thing extends Doc {
  readonly n?: number;
  readonly endsMs?: number;
}

const things: CollectionSpec<Thing> = {
  name: 'failing_things',
  indexes: { n: { kind: 'unique', fields: ['n'], sparse: true }, ends: { kind: 'expiring', field: 'endsMs' } },
};

/** Waits until something is so, at most 20 seconds. */
async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = systemClock.monotonic() + 20_000; ; ) {
    if (await condition()) return;
    assert.ok(systemClock.monotonic() < end, `in time: ${what}`);
    await systemClock.sleep(20);
  }
}

const failed =
  (outcome: 'unknown' | 'not-applied', code = 'store.unavailable') =>
  (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.deepEqual([error.outcome, error.code], [outcome, code], String(error.cause));
    return true;
  };

describe('the MongoDB store when the network fails', {
  skip: given ? false : 'PARLEY_TEST_MONGO_URL is not set',
}, () => {
  let proxy: Proxy;
  let store: Store;
  const times = { serverSelectionMs: 1000, answerMs: 700, heartbeatMs: 500, connectMs: 1000 };
  before(async () => {
    proxy = await startProxy({ host: url.hostname, port: Number(url.port) });
    store = await connectMongoStore({
      url: `mongodb://127.0.0.1:${proxy.port}/`,
      database,
      clock: systemClock,
      ...times,
    });
    await store.migrate([things]);
    await store.collection(things).insert({ _id: 'first' });
  });
  after(async () => {
    await store?.close();
    await proxy?.close();
    const client = await new MongoClient(url.href).connect();
    await client.db(database).dropDatabase();
    await client.close();
  });
  beforeEach(async () => {
    proxy.disarm();
    proxy.resume();
    await until('the store is connected', () => store.connected);
  });

  it('says that an insert may have happened when the answer is lost, and it did', async () => {
    const c = store.collection(things);
    proxy.arm('insert', 'cut-after');
    await assert.rejects(c.insert({ _id: 'lost-answer' }), failed('unknown'));
    proxy.disarm();
    await until(
      'the database answers again',
      async () => (await c.get('lost-answer').catch(() => undefined)) !== undefined,
    );
    assert.deepEqual(await c.insert({ _id: 'lost-answer' }), {
      inserted: false,
      index: '_id',
      existingId: 'lost-answer',
    });
  });

  it('says that it may have happened when the request is lost, and it did not', async () => {
    const c = store.collection(things);
    proxy.arm('insert', 'cut-before');
    await assert.rejects(c.insert({ _id: 'lost-request' }), failed('unknown'));
    proxy.disarm();
    await until('the same insert works', async () => {
      const again = await c.insert({ _id: 'lost-request' }).catch(() => undefined);
      return again?.inserted === true;
    });
  });

  it('says the same of replace and delete', async () => {
    const c = store.collection(things);
    await c.insert({ _id: 'moving', n: 1 });
    proxy.arm('update', 'cut-after');
    await assert.rejects(c.replace({ _id: 'moving', n: 2 }, 1), failed('unknown'));
    await until('connected', () => store.connected);
    proxy.arm('delete', 'cut-before');
    await assert.rejects(c.delete('moving'), failed('unknown'));
    proxy.disarm();
    await until('the database answers again', async () => (await c.get('moving').catch(() => undefined))?.n === 2);
  });

  it('does not wait for an answer for ever', async () => {
    const c = store.collection(things);
    proxy.arm('insert', 'mute');
    const started = systemClock.monotonic();
    await assert.rejects(c.insert({ _id: 'no-answer' }), failed('unknown', 'store.timeout'));
    assert.ok(systemClock.monotonic() - started < 3000);
  });

  it('a read that fails changes nothing, and says so', async () => {
    proxy.arm('find', 'mute');
    await assert.rejects(store.collection(things).get('first'), failed('not-applied', 'store.timeout'));
  });

  it('refuses at once what it could not send, says that it is not connected, and comes back', async () => {
    const c = store.collection(things);
    proxy.refuse();
    await until('the loss is noticed', () => !store.connected);
    await assert.rejects(c.insert({ _id: 'unsent' }), failed('not-applied'));
    await assert.rejects(store.now(), failed('not-applied'));
    proxy.resume();
    await until('the store is back', () => store.connected);
    assert.deepEqual(await c.insert({ _id: 'unsent' }), { inserted: true });
  });

  it('comes back soon when nobody asks for anything, long before the next heartbeat', async () => {
    const idle = await connectMongoStore({
      ...{ url: `mongodb://127.0.0.1:${proxy.port}/`, database, clock: systemClock },
      ...{ ...times, heartbeatMs: 120_000 },
    });
    try {
      proxy.refuse();
      await assert.rejects(idle.now(), failed('not-applied'));
      assert.equal(idle.connected, false);
      await systemClock.sleep(1_500);
      proxy.resume();
      await until('the store is back', () => idle.connected);
    } finally {
      await idle.close();
    }
    assert.equal(idle.connected, false);
  });

  it('inserts and gets of one turn share a request', async () => {
    const c = store.collection(things);
    const [inserts, finds] = [proxy.count('insert'), proxy.count('find')];
    const many = Array.from({ length: 200 }, (_, i) => ({ _id: `shared-${i}`, n: 1000 + i }));
    assert.ok((await Promise.all(many.map(d => c.insert(d)))).every(r => r.inserted));
    assert.equal((await Promise.all(many.map(d => c.get(d._id)))).filter(d => d !== undefined).length, 200);
    assert.equal(proxy.count('insert') - inserts, 1);
    assert.equal(proxy.count('find') - finds, 1);
  });

  it('a document in the way fails its own insert only', async () => {
    const c = store.collection(things);
    await c.insert({ _id: 'way', n: 5 });
    const [a, b, d] = await Promise.all([
      c.insert({ _id: 'way-1', n: 6 }),
      c.insert({ _id: 'way-2', n: 5 }),
      c.insert({ _id: 'way-3' }),
    ]);
    assert.deepEqual(
      [a, b, d],
      [{ inserted: true }, { inserted: false, index: 'n', existingId: 'way' }, { inserted: true }],
    );
  });

  it('removes expired documents in batches', async () => {
    const clock = new ManualClock(await store.now());
    const sweeping = await connectMongoStore({ url: url.href, database, clock, sweepEveryMs: 1000, sweepBatch: 10 });
    const c = sweeping.collection(things);
    const due = Array.from({ length: 25 }, (_, i) => ({ _id: `due-${i}`, endsMs: clock.now() + i }));
    await c.insertMany([...due, { _id: 'not-due', endsMs: clock.now() + 60_000 }]);
    await clock.advance(1000);
    await until('all are gone', async () => (await c.count('ends', {}, 100)) === 1);
    assert.equal((await c.get('not-due'))?._id, 'not-due');
    await sweeping.close();
  });

  it('cannot be used after it was closed', async () => {
    const closing = await connectMongoStore({ url: url.href, database, clock: systemClock });
    const c = closing.collection(things);
    await closing.close();
    assert.equal(closing.connected, false);
    await assert.rejects(c.get('first'), failed('not-applied', 'store.closed'));
    await assert.rejects(c.insert({ _id: 'x' }), failed('not-applied', 'store.closed'));
    await assert.rejects(closing.migrate([things]), failed('not-applied', 'store.closed'));
  });

  it('says that nobody answers when it connects to nothing', async () => {
    const nothing = connectMongoStore({ url: 'mongodb://127.0.0.1:1/', database, clock: systemClock, ...times });
    await assert.rejects(nothing, failed('not-applied'));
  });
});
