import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { EventLog, LogRecord } from '@parley/event-log';
import type { CollectionSpec, Doc, Store } from '@parley/store';
import { until } from '@parley/testkit';
import { behindArchiving } from '../behind.ts';
import type { Scenario, World } from '../scenario.ts';

const TOPIC = 'archive';
const GROUP = 'archiving';

export const replay: Scenario = {
  name: 'the whole log is read again from its beginning, and nothing of the archive changes',
  config: {
    archiving: { checkpointMs: 300, indexMs: 50, indexDelayMs: 0, indexSweepMs: 500 },
    im: { keyVisibleMs: 2_000, reconcileMarginMs: 500 },
  },
  async run(world) {
    const { parley } = world;
    const people = await Promise.all(['Ana Souza', 'Ben Katz', 'Cleo', 'Dan'].map(name => world.person(name)));
    const [ana, ...others] = people;
    if (!ana) throw new Error('nobody');
    await world.archiving(ana, { archiveInternal: true, archiveExternal: true, critical: false });
    const desk = await world.device(ana);
    for (let i = 0; i < 12; i++)
      await Promise.all(others.map(({ id }) => desk.client.send(id, `the minutes of day ${i}`).acknowledged));
    await parley.drain();

    // repetitions and what cannot be read are part of a log, too
    await behindArchiving(parley, async ({ log }) => {
      const some = (await recordsOf(log)).filter((_, i) => i % 5 === 0);
      const poison = [{ key: 'nobody', value: Buffer.concat([Buffer.from([7]), randomBytes(100)]) }];
      const again = some.map(({ key, value }) => ({ key, value }));
      await log.append(TOPIC, [...again, ...poison], { deadlineMs: 30_000 });
    });
    const first = await settled(world);
    assert.equal(first.result.parked, 1n);
    assert.ok(first.result.duplicates > 3n);

    let before: Picture | undefined;
    let records = 0;
    await behindArchiving(parley, async ({ log, store }) => {
      const committed = await log.committed(TOPIC, GROUP);
      for (const { partition, high } of await log.ends(TOPIC)) assert.equal(committed.get(partition) ?? 0, high);
      records = (await recordsOf(log)).length;
      before = await pictureOf(store);
      await log.rewind(TOPIC, GROUP);
      assert.deepEqual([...new Set((await log.committed(TOPIC, GROUP)).values())], [0]);
    });
    const handled = () => parley.metric('parley_log_consumed_total', { topic: TOPIC, group: GROUP });
    await until('all of it to be handled again', async () => (await handled()) >= records, {
      timeoutMs: 60_000,
      everyMs: 100,
    });
    const again = await settled(world);
    assert.deepEqual(again, first);
    await behindArchiving(parley, async ({ log, store }) => {
      assert.equal((await recordsOf(log)).length, records);
      const after = await pictureOf(store);
      for (const part of Object.keys(after) as (keyof Picture)[]) assert.deepEqual(after[part], before?.[part], part);
    });
    assert.ok(records > 40 && (before?.links.length ?? 0) === records && (before?.blocks.length ?? 0) > 0);

    // and it goes on
    const [ben] = others;
    await desk.client.send(ben?.id ?? '', 'and on').acknowledged;
    const { result } = await settled(world);
    assert.deepEqual([result.links, result.contents], [first.result.links + 1n, first.result.contents + 1n]);
  },
};

async function recordsOf(log: EventLog): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = [];
  for (const { partition, low, high } of await log.ends(TOPIC)) {
    assert.equal(low, 0, 'nothing is trimmed');
    for (let next = 0; next < high; ) {
      const page = await log.read(TOPIC, partition, next, 1_000);
      found.push(...page);
      next = (page.at(-1)?.offset ?? high) + 1;
    }
  }
  return found;
}

/** Verifies, once everything is archived, can be found and stands under a checkpoint. */
async function settled(world: World) {
  await world.parley.drain();
  const { archive } = (await world.complianceOfficer()).services;
  await until('everything to be findable', async () => {
    const { notIndexed, partitions } = await archive.getStatus({});
    return notIndexed === 0n && partitions.every(one => one.checkpointCount === one.nextOffset - one.firstOffset);
  });
  const { result, findings, records } = await world.verify();
  assert.deepEqual([findings, result.intact, result.beyondCheckpoint], [[], true, 0n]);
  assert.equal(await world.parley.metric('parley_archive_alarms_total'), 0);
  return { result, records: records.toSorted((a, b) => (a.linkId < b.linkId ? -1 : 1)) };
}

/** Every document of the archive. */
interface Picture {
  readonly links: readonly Doc[];
  readonly contents: readonly Doc[];
  readonly parked: readonly Doc[];
  readonly checkpoints: readonly Doc[];
  readonly blocks: readonly Doc[];
  readonly positions: readonly object[];
}

interface LinkDoc extends Doc {
  readonly record: string;
  readonly content?: string;
}
interface PositionDoc extends Doc {
  readonly next: number;
  readonly open: readonly object[];
}

async function pictureOf(store: Store): Promise<Picture> {
  const read = async <T extends Doc>(name: string, index: string, spec: CollectionSpec<T>['indexes'][string]) =>
    (await store.collection<T>({ name, indexes: { [index]: spec } }).scan(index, { limit: 10_000 })).docs;
  const places = { kind: 'ordered', fields: ['_id'] } as const;
  const links = await read<LinkDoc>('archive_links', 'place', places);
  const contents = store.collection({ name: 'archive_contents', indexes: {} });
  const ids = [...new Set(links.map(link => link.content ?? link.record))].sort();
  const chains = [...new Set(links.map(link => link._id.slice(0, -15)))];
  const positions = await store
    .collection<PositionDoc>({ name: 'archive_index_positions', indexes: {} })
    .getMany(chains);
  const byId = <T extends Doc>(docs: readonly T[]) => docs.toSorted((a, b) => (a._id < b._id ? -1 : 1));
  return {
    links,
    contents: byId(await contents.getMany(ids)),
    parked: await read('archive_contents', 'parked', { kind: 'ordered', fields: ['parked'], sparse: true }),
    checkpoints: await read('archive_checkpoints', 'place', places),
    blocks: byId(await read('archive_index', 'days', { kind: 'ordered', fields: ['day', 'top'] })),
    // whose turn it is to index changes with every start
    positions: byId(positions).map(({ _id, next, open }) => ({ _id, next, open })),
  };
}
