import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { archiveIndex, archiveIndexPositions } from './collections.ts';
import type { ArchivingConfig } from './config.ts';
import { NINE, type RecordInit } from './testing/records.ts';
import { createWorld, until, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const ann = { id: 'ann', address: 'ann@north.example', displayName: 'Ann 安' };
const bob = { id: 'bob', address: 'bob@north.example', displayName: 'Bob' };

async function begin(config: Partial<ArchivingConfig> = {}, partitions = 1) {
  world = await createWorld(config, partitions);
  world.directory.people = [
    { id: 'ann', primaryAddress: 'ann@north.example', displayName: 'Ann 安', former: ['ann.old@north.example'] },
    { id: 'bob', primaryAddress: 'bob@north.example', displayName: 'Bob' },
    { id: 'olga', primaryAddress: 'olga@north.example', displayName: 'Olga' },
  ];
  await world.start();
}

async function archive(...records: RecordInit[]) {
  await world.append(...records);
  await world.indexed();
}

const said = (id: string, text: string, more: Partial<RecordInit> = {}): RecordInit => ({
  ...{ id, text, people: [ann, bob] },
  ...more,
});

describe('the index', () => {
  it('says how much is archived and cannot be found yet', async () => {
    await begin({ indexMs: 60_000, indexDelayMs: 60_000 });
    await world.append(said('ann.1', 'one'), said('ann.2', 'two'));
    await world.archived();
    assert.equal((await world.search()).notIndexed, 2n);
    assert.equal((await world.status()).notIndexed, 2n);
    await world.clock.advance(120_000);
    await world.indexed();
    assert.deepEqual((await world.texts({})).sort(), ['one', 'two']);
    assert.equal(await world.metric('parley_archive_not_indexed_records{partition="0"}'), 0);
    assert.equal(await world.metric('parley_archive_indexed_records_total'), 2);
  });

  it('is made for what was archived before there was one, and again when it was lost', async () => {
    await begin();
    await archive(...Array.from({ length: 700 }, (_, i) => said(`ann.${i}`, `n${i}`, { atMs: NINE + i })));
    await world.stop();
    for (const spec of [archiveIndex, archiveIndexPositions]) {
      const collection = world.collection<{ _id: string }>(spec as never);
      const ids = spec === archiveIndex ? (await collection.scan('days', { limit: 100 })).docs.map(doc => doc._id) : [];
      ids.push((await world.links())[0]?._id.slice(0, -15) ?? '');
      for (const id of ids) await collection.delete(id);
    }
    assert.deepEqual(await world.texts({ words: 'n650' }), []);
    await world.start();
    await world.indexed();
    assert.deepEqual(await world.texts({ words: 'n650' }), ['n650']);
    assert.equal((await world.search({ limit: 200 })).items.length, 200);
  });

  it('goes on after a restart where it was, and a crash between its two writes adds nothing twice', async () => {
    await begin();
    await archive(...Array.from({ length: 10 }, (_, i) => said(`ann.${i}`, `n${i}`, { atMs: NINE + i })));
    await world.stop();
    // As if the position had not been written after the block.
    const chain = (await world.links())[0]?._id.slice(0, -15) ?? '';
    await world.tamper(archiveIndexPositions, chain, doc => ({ ...doc, next: 4, open: [], until: 0 }));
    await world.start();
    await archive(...Array.from({ length: 10 }, (_, i) => said(`bob.${i}`, `m${i}`, { atMs: NINE + 20 + i })));
    const { docs } = await world.collection(archiveIndex).scan('days', { limit: 100 });
    const { items } = await world.search({ limit: 200 });
    assert.equal(items.length, 20);
    assert.equal(new Set(items.map(item => item.recordId)).size, 20);
    assert.ok(docs.length <= 2, `${docs.length} blocks`);
  });

  it('is made by one replica at a time, and by another when that one is gone', async () => {
    await begin({ indexLeaseMs: 5_000 });
    await archive(said('ann.1', 'one'));
    await world.stop();
    const chain = (await world.links())[0]?._id.slice(0, -15) ?? '';
    const heldUntil = world.clock.now() + 5_000;
    await world.tamper(archiveIndexPositions, chain, doc => ({ ...doc, by: 'another', until: heldUntil }));
    await world.start();
    await world.append(said('ann.2', 'two', { atMs: NINE + 1 }));
    await world.archived();
    await world.clock.advance(1_000);
    assert.equal((await world.status()).notIndexed, 1n);
    await world.clock.advance(5_000);
    await until(async () => (await world.status()).notIndexed === 0n);
    assert.deepEqual(await world.texts({}), ['two', 'one']);
  });

  it('fills blocks and begins new ones, each within ten minutes', async () => {
    await begin();
    await archive(...Array.from({ length: 1_500 }, (_, i) => said(`ann.${i}`, `n${i}`, { atMs: NINE + i * 1_000 })));
    const { docs } = await world.collection(archiveIndex).scan('days', { limit: 100 });
    assert.ok(docs.length >= 3 && docs.length <= 6, `${docs.length} blocks`);
    for (const words of ['n0', 'n511', 'n512', 'n513', 'n1499'])
      assert.deepEqual(await world.texts({ words }), [words]);
  });

  it('is handed over by a replica that stops', async () => {
    await begin({ indexLeaseMs: 600_000 });
    await archive(said('ann.1', 'one'));
    await world.stop();
    await world.start();
    await archive(said('ann.2', 'two', { atMs: NINE + 1 }));
    assert.deepEqual(await world.texts({}), ['two', 'one']);
  });

  it('goes on when the store failed in the middle of a step', async () => {
    await begin();
    await archive(said('ann.1', 'one'));
    const { store } = world;
    const collection = store.collection.bind(store);
    let failures = 3;
    store.collection = ((spec: { name: string }) => {
      const real = collection(spec as never);
      if (spec.name !== 'archive_index_positions') return real;
      const replace: typeof real.replace = (...args) =>
        failures-- > 0 ? Promise.reject(new Error('the store is down')) : real.replace(...args);
      return { ...real, get: real.get.bind(real), insert: real.insert.bind(real), replace };
    }) as never;
    await world.stop();
    await world.start();
    await archive(said('ann.2', 'two', { atMs: NINE + 1 }), said('ann.3', 'three', { atMs: NINE + 2 }));
    assert.deepEqual(await world.texts({}), ['three', 'two', 'one']);
    assert.ok((await world.metric('parley_archive_index_failures_total')) >= 1);
  });

  it('survives a time that no clock could say', async () => {
    await begin();
    await archive(said('ann.1', 'odd', { atMs: -5 }), said('ann.2', 'even'));
    assert.deepEqual(await world.texts({}), ['even', 'odd']);
    assert.deepEqual(await world.texts({ words: 'odd' }), ['odd']);
  });
});
