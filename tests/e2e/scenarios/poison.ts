import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { RecordState } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { until } from '@parley/testkit';
import { behindArchiving } from '../behind.ts';
import { parleyctl } from '../parleyctl.ts';
import type { Scenario, World } from '../scenario.ts';

const NOT_ALLOWED = 4;

export const poison: Scenario = {
  name: 'a record that cannot be processed is parked with its reason, its partition goes on, and reading everything again changes nothing',
  config: { archiving: { checkpointMs: 500 }, im: { keyVisibleMs: 2_000, reconcileMarginMs: 500 } },
  async run(world) {
    const { parley } = world;
    const [ana, ben] = [await world.person('Ana Souza'), await world.person('Ben Katz')];
    await world.archiving(ana, { archiveInternal: true, archiveExternal: true, critical: false });
    const desk = await world.device(ana);
    const sent: string[] = [];
    const say = async (text: string) => {
      const { eventId, conversationId } = await desk.client.send(ben.id, text).acknowledged;
      sent.push(eventId);
      return conversationId;
    };
    const conversationId = await say('before');
    await parley.drain();

    const facts = { recordId: `${ana.id}.${crypto.randomUUID()}`, kind: ArchiveRecordKind.IM_EVENT, conversationId };
    const bytes = [
      // no field of a protobuf message begins like this
      Buffer.concat([Buffer.from([7]), randomBytes(200)]),
      toBinary(ArchiveRecordSchema, create(ArchiveRecordSchema, { ...facts, version: 99 })),
    ];
    await behindArchiving(parley, async ({ log }) => {
      await log.append(
        'archive',
        bytes.map(value => ({ key: conversationId, value })),
        { deadlineMs: 30_000 },
      );
    });
    for (let i = 0; i < 5; i++) await say(`after ${i}`);
    await archivedAll(world, sent);
    // whoever else reads the log goes on, too
    const lag = () => parley.metric('parley_log_consumer_lag', { group: 'im-reconcile' });
    const read = () => parley.metric('parley_log_consumed_total', { group: 'im-reconcile' });
    await until('im to have read the log', async () => (await read()) >= sent.length && (await lag()) === 0, {
      timeoutMs: 30_000,
      everyMs: 250,
    });
    await until('the metric that alerts', async () => (await parkedGauge(world)) === 2);

    const viewer = await tool(world, 'viewer', [Role.VIEWER]);
    const seen = await viewer('archive', 'parked', '--json');
    assert.equal(seen.code, 0, seen.stderr);
    const { records } = JSON.parse(seen.stdout) as { records: { reason: string; size: number; sha256: string }[] };
    assert.deepEqual(
      records.map(({ reason, size, sha256 }) => ({ reason, size, sha256 })),
      ['not-a-record', 'unknown-version'].map((reason, i) => {
        const value = bytes[i] as Uint8Array;
        return { reason, size: value.length, sha256: createHash('sha256').update(value).digest('hex') };
      }),
    );
    assert.match((await viewer('archive', 'parked')).stdout, /written by a later version/);
    const nobody = await tool(world, 'nobody', []);
    assert.equal((await nobody('archive', 'parked')).code, NOT_ALLOWED);

    const before = await archivedAll(world, sent);
    assert.equal(before.result.parked, 2n);
    await behindArchiving(parley, ({ log }) => log.rewind('archive', 'archiving'));
    await say('and on');
    const after = await archivedAll(world, sent);
    assert.deepEqual(
      after.records.filter(record => before.records.some(one => one.linkId === record.linkId)),
      before.records,
    );
    assert.deepEqual(
      { ...after.result, links: 0n, contents: 0n, records: 0n, checkpoints: 0n, beyondCheckpoint: 0n },
      { ...before.result, links: 0n, contents: 0n, records: 0n, checkpoints: 0n, beyondCheckpoint: 0n },
    );
    assert.equal(after.result.links, before.result.links + 1n);
    assert.equal(after.result.records, before.result.records + 1n);
    assert.equal(await parley.metric('parley_archive_alarms_total'), 0);
  },
};

/** Verifies; everything that was sent is archived once, and nothing is wrong. */
async function archivedAll(world: World, sent: readonly string[]) {
  const verified = await world.verify();
  assert.deepEqual(verified.findings, []);
  assert.equal(verified.result.intact, true);
  const kept = verified.records.filter(record => record.state === RecordState.ARCHIVED).map(record => record.recordId);
  assert.deepEqual(kept.toSorted(), sent.toSorted());
  return { ...verified, records: verified.records.toSorted((a, b) => (a.linkId < b.linkId ? -1 : 1)) };
}

/** The most any process counts, as the alert does. */
async function parkedGauge({ parley }: World): Promise<number> {
  const texts = await Promise.all(parley.replicasOf('archiving').map(p => p.metrics()));
  return Math.max(...texts.map(text => Number(/^parley_archive_parked_records (\d+)$/m.exec(text)?.[1] ?? 0)));
}

/** `parleyctl` of a new person with these roles. */
async function tool(world: World, name: string, roles: readonly Role[]) {
  const { address, password } = await world.person(name, roles);
  const dir = join(world.parley.dir, 'poison', name);
  mkdirSync(dir, { recursive: true });
  const login = ['login', address, '--server', world.parley.url, '--password-stdin'];
  assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
  return (...args: string[]) => parleyctl(dir, args);
}
