import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger, createMetrics, type Metrics } from '@parley/runtime';
import { type MemoryStores, openMemoryStore } from '@parley/store/testing';
import { ManualClock } from '@parley/testkit';
import { decodeFull } from '../adapters/protobuf/decode-full.ts';
import { decodeIndexed } from '../adapters/protobuf/decode-indexed.ts';
import { decodeRecord } from '../adapters/protobuf/decode-record.ts';
import { whyParked } from '../adapters/protobuf/why-parked.ts';
import { createContentStore } from '../adapters/store/content-store.ts';
import { createLinkStore } from '../adapters/store/link-store.ts';
import { archiveContents, archiveLinks, archivingCollections } from '../collections.ts';
import { PARKED } from '../domain/link.ts';
import { emptyTally, walkChain } from '../domain/walk.ts';
import { createTelemetry } from '../events.ts';
import type { LogEntry } from '../ports/archive-log.ts';
import type { ContentStore, LinkStore } from '../ports/archive-store.ts';
import type { RecordCodec } from '../ports/codec.ts';
import { recordOf } from '../testing/records.ts';
import { createArchiveRecords } from './archive-records.ts';
import { Archiver } from './archiver.ts';
import { createFileContents } from './file-contents.ts';

let stores: MemoryStores;
let links: LinkStore;
let contents: ContentStore;
let metrics: Metrics;
const clock = new ManualClock();

beforeEach(async () => {
  stores = openMemoryStore({ clock });
  const store = stores.store('archiving');
  await store.migrate(archivingCollections);
  links = createLinkStore(store);
  contents = createContentStore(store);
  metrics = createMetrics({ defaults: false });
});
afterEach(() => stores.close());

const entries = (from: number, to: number, of = (i: number) => recordOf({ id: `ann.${i}` })): LogEntry[] =>
  Array.from({ length: to - from }, (_, i) => ({ offset: from + i, value: of(from + i) }));
const everything = entries(0, 100);

/** A process that archives; `more` goes wrong in its own way. */
function archiver(
  more: { links?: LinkStore; contents?: ContentStore; decode?: RecordCodec['decode'] } = {},
  log = everything,
): Archiver {
  const { decode = decodeRecord, ...replaced } = more;
  const deps = { links, contents, ...replaced };
  const telemetry = createTelemetry(createLogger({ level: 'silent', service: 'archiving' }), metrics);
  const file = createFileContents({
    contents: deps.contents,
    codec: { decode, whyParked, decodeIndexed, decodeFull },
    clock,
  });
  return new Archiver({
    links: deps.links,
    telemetry,
    archive: createArchiveRecords({ ...deps, file, telemetry }),
    log: {
      topic: 'archive',
      epoch: async () => 7,
      ends: async () => [{ partition: 0, low: 0, high: log.length }],
      committed: async () => new Map(),
      read: async (_, from, limit) => log.slice(from, from + limit),
      trim: async () => undefined,
    },
  });
}

const batch = (records: readonly LogEntry[]) => ({ partition: 0, records, high: 100 });
const snapshot = async () => {
  const store = stores.store('archiving');
  const made = (await store.collection(archiveLinks).scan('place', { limit: 10_000 })).docs;
  const ids = made.map(link => link.content ?? link.record);
  return { links: made, contents: await store.collection(archiveContents).getMany(ids) };
};
const alarms = async () => {
  const line = (await metrics.render())
    .split('\n')
    .find(l => l.startsWith('parley_archive_alarms_total{kind="link_differs"}'));
  return Number(line?.split(' ').at(-1));
};

describe('the archiver', () => {
  it('makes the same links whatever the batches were and however often they came', async () => {
    const one = archiver();
    await one.handle(batch(entries(0, 10)));
    await one.handle(batch(entries(10, 30)));
    await one.handle(batch(entries(30, 31)));
    const expected = await snapshot();
    assert.equal(expected.links.length, 31);
    for (const records of [entries(0, 31), entries(5, 12), entries(30, 31), entries(0, 1)]) {
      await one.handle(batch(records));
      await archiver().handle(batch(records));
    }
    assert.deepEqual(await snapshot(), expected);
    assert.equal(await alarms(), 0);
  });

  it('completes what a crash left half done, at every step of the way', async () => {
    const whole = archiver();
    await whole.handle(batch(everything));
    const expected = await snapshot();
    const broken = () => {
      throw new Error('crash');
    };
    const steps: readonly { links?: LinkStore; contents?: ContentStore }[] = [
      { contents: { ...contents, insert: broken } },
      { contents: { ...contents, insert: some => contents.insert(some.filter((_, i) => i % 3 === 0)).then(broken) } },
      { contents: { ...contents, insert: all => contents.insert(all).then(broken) } },
      { links: { ...links, insert: broken } },
      { links: { ...links, insert: some => links.insert(some.filter((_, i) => i % 3 !== 1)).then(broken) } },
      { links: { ...links, insert: all => links.insert(all).then(broken) } },
    ];
    for (const [n, step] of steps.entries()) {
      for (const link of expected.links) await stores.store('archiving').collection(archiveLinks).delete(link._id);
      for (const content of expected.contents)
        await stores.store('archiving').collection(archiveContents).delete(content._id);
      await archiver().handle(batch(entries(0, 40)));
      await assert.rejects(archiver(step).handle(batch(entries(40, 80))), /crash/, `step ${n}`);
      await archiver().handle(batch(entries(40, 60)));
      await archiver().handle(batch(entries(60, 100)));
      assert.deepEqual(await snapshot(), expected, `step ${n}`);
    }
    assert.equal(await alarms(), 0);
  });

  it('stays right when two processes hold the same partition for a while', async () => {
    const [one, two] = [archiver(), archiver()];
    await one.handle(batch(entries(0, 10)));
    await Promise.allSettled([one.handle(batch(entries(10, 40))), two.handle(batch(entries(10, 20)))]);
    await two.handle(batch(entries(10, 40)));
    await Promise.allSettled([one.handle(batch(entries(40, 60))), two.handle(batch(entries(40, 60)))]);
    await one.handle(batch(entries(40, 100)));
    const mixed = await snapshot();
    for (const link of mixed.links) await stores.store('archiving').collection(archiveLinks).delete(link._id);
    for (const content of mixed.contents)
      await stores.store('archiving').collection(archiveContents).delete(content._id);
    await archiver().handle(batch(everything));
    assert.deepEqual(await snapshot(), mixed);
    assert.equal(await alarms(), 0);
  });

  it('raises an alarm when the log says something else than a link, keeps both and changes neither', async () => {
    await archiver().handle(batch(entries(0, 10)));
    const before = await snapshot();
    const other = entries(0, 10, i => recordOf({ id: i === 4 ? 'bob.4' : `ann.${i}` }));
    await archiver().handle(batch(other));
    assert.equal(await alarms(), 1);
    const after = await snapshot();
    assert.deepEqual(after.links, before.links);
    const [displaced] = await contents.getMany([`displaced!${before.links[4]?._id}`]);
    assert.deepEqual(Buffer.from(displaced?.raw ?? []), Buffer.from(recordOf({ id: 'bob.4' })));
  });

  it('raises an alarm when a chain that it takes over does not follow from itself', async () => {
    await archiver().handle(batch(entries(0, 10)));
    const collection = stores.store('archiving').collection(archiveLinks);
    const link = (await snapshot()).links[3];
    if (link)
      await collection.replace({ ...link, hashes: Buffer.concat([link.hashes.subarray(0, 32), Buffer.alloc(32)]) }, 1);
    await archiver().handle(batch(entries(0, 10)));
    assert.equal(await alarms(), 2);
  });

  it('leaves what an earlier version parked as it is, although this one can read it', async () => {
    const unreadable = entries(0, 1)[0]?.value as Uint8Array;
    const earlier = (bytes: Uint8Array) => (Buffer.compare(bytes, unreadable) === 0 ? undefined : decodeRecord(bytes));
    await archiver({ decode: earlier }).handle(batch(entries(0, 10)));
    const before = await snapshot();
    assert.equal(before.links[0]?.state, PARKED);
    await archiver().handle(batch(entries(0, 10)));
    assert.deepEqual(await snapshot(), before);
    assert.equal(await alarms(), 0);
    const [link] = await links.page('0000000000000007/archive/0000', undefined, '1', 1);
    assert.ok(link);
    const [content] = await contents.getMany([link.contentId]);
    const walk = walkChain('0000000000000007/archive/0000', 0, emptyTally());
    assert.deepEqual(walk.step({ link, content, record: decodeRecord(unreadable) }), []);
  });
});
