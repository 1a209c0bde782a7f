import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import {
  ListParkedRequestSchema,
  type ListParkedResponse,
  LocateRecordRequestSchema,
  type LocateRecordResponse,
  ParkReason,
  RecordState,
} from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { archiveContents } from './collections.ts';
import { NINE, recordOf } from './testing/records.ts';
import { createWorld, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());
const code = (wanted: string, field: string) => (error: Error & { code?: string; field?: string }) => {
  assert.deepEqual([error.code, error.field], [wanted, field]);
  return true;
};
const listParked = (request: { limit?: number; cursor?: string } = {}) =>
  world.ask<ListParkedResponse>('listParked', create(ListParkedRequestSchema, request));
const locate = (recordId: string) =>
  world.ask<LocateRecordResponse>('locateRecord', create(LocateRecordRequestSchema, { recordId }));
const begin = async () => {
  world = await createWorld();
  await world.start();
};

describe('a record that cannot be processed', () => {
  it('is parked with its reason and shown without its content, and what follows is archived', async () => {
    await begin();
    const poison = [
      Buffer.from('not a record'),
      recordOf({ id: 'ann.1', version: 2 }),
      recordOf({ id: 'ann.2', kind: 9 as ArchiveRecordKind }),
      recordOf({ id: 'a b' }),
    ];
    await world.append(...poison, { id: 'ann.3' });
    await world.archived();
    const { records, nextCursor } = await listParked();
    const { NOT_A_RECORD, UNKNOWN_VERSION, UNKNOWN_KIND, INVALID } = ParkReason;
    assert.deepEqual(
      records.map(({ reason, size, sha256 }) => ({ reason, size, sha256 })),
      [NOT_A_RECORD, UNKNOWN_VERSION, UNKNOWN_KIND, INVALID].map((reason, i) => {
        const bytes = poison[i] as Uint8Array;
        return { reason, size: BigInt(bytes.length), sha256: createHash('sha256').update(bytes).digest('hex') };
      }),
    );
    assert.deepEqual(
      records.map(record => record.linkId),
      (await world.links()).slice(0, 4).map(link => link._id),
    );
    assert.ok(records.every(record => record.parkedMs === BigInt(world.clock.now())));
    assert.equal(nextCursor, '');
    assert.equal((await locate('ann.3')).state, RecordState.ARCHIVED);
    const { result, findings } = await world.verify();
    assert.deepEqual([findings, result['parked']], [[], 4n]);
  });

  it('is counted at once and after a restart, without anybody asking for the status', async () => {
    await begin();
    assert.equal(await world.metric('parley_archive_parked_records'), 0);
    await world.append(Buffer.from('not a record'), { id: 'ann.1' });
    await world.archived();
    assert.equal(await world.metric('parley_archive_parked_records'), 1);
    await world.stop();
    await world.append(Buffer.from('nor this'));
    const doc = await world.content(`parked!${(await world.links())[0]?._id}`);
    await world.collection(archiveContents).insert({ ...doc, _id: 'parked!by another replica' });
    await world.start();
    await world.archived();
    assert.equal(await world.metric('parley_archive_parked_records'), 3);
  });

  it('is listed a page at a time, and a cursor of something else is refused', async () => {
    await begin();
    await world.append(...Array.from({ length: 25 }, (_, i) => Buffer.from(`poison ${i}`)));
    await world.archived();
    const places: string[] = [];
    let cursor = '';
    do {
      const page = await listParked({ limit: 12, cursor });
      assert.ok(page.records.length <= 12);
      places.push(...page.records.map(record => record.linkId));
      cursor = page.nextCursor;
    } while (cursor !== '');
    assert.equal(new Set(places).size, 25);
    assert.equal(places.length, 25);
    assert.deepEqual(places, places.toSorted());
    await assert.rejects(listParked({ cursor: 'made up' }), code('archive.cursor_invalid', 'cursor'));
    await assert.rejects(listParked({ cursor: 'x'.repeat(3_000) }), code('archive.cursor_invalid', 'cursor'));
    await assert.rejects(listParked({ limit: 201 }), code('archive.field_invalid', 'limit'));
  });

  it('has no reason when an earlier version parked it', async () => {
    await begin();
    await world.append({ id: 'ann.1', version: 2 }, { id: 'ann.2' });
    await world.archived();
    const [parked] = (await listParked()).records;
    await world.stop();
    const [link] = await world.links();
    await world.tamper(archiveContents, `parked!${link?._id ?? ''}`, doc => {
      const { why: _, ...rest } = doc;
      return rest;
    });
    await world.start();
    const [again] = (await listParked()).records;
    assert.deepEqual([again?.linkId, again?.reason], [parked?.linkId, ParkReason.UNSPECIFIED]);
    assert.equal((await world.verify()).result['intact'], true);
  });
});

describe('where a record stands', () => {
  it('is told without content', async () => {
    await begin();
    await world.append({ id: 'ann.1', critical: true, text: 'between us' });
    await world.archived();
    const [link] = await world.links();
    const before = await locate('ann.1');
    assert.deepEqual(before, {
      ...{ linkId: link?._id, state: RecordState.ARCHIVED, acceptedMs: BigInt(NINE) },
      ...{ decidedBy: 'global', critical: true, checkpointed: false, indexed: false },
      recipientIds: ['ann', 'bob'],
    });
    await world.indexed();
    await world.checkpoint();
    assert.deepEqual(await locate('ann.1'), { ...before, checkpointed: true, indexed: true });
  });

  it('is told without people to those who only look at the system', async () => {
    await begin();
    await world.append({ id: 'ann.1' });
    await world.archived();
    const peopleFor = async (...roles: Role[]) => {
      world.directory.standings.set('olga', { enabled: true, roles });
      await world.clock.advance(world.settings.roleMaxAgeMs);
      return (await locate('ann.1')).recipientIds;
    };
    assert.deepEqual(await peopleFor(Role.VIEWER), []);
    assert.deepEqual(await peopleFor(Role.ADMINISTRATOR), ['ann', 'bob']);
    assert.deepEqual(await peopleFor(Role.COMPLIANCE_OFFICER, Role.VIEWER), ['ann', 'bob']);
    assert.deepEqual(await peopleFor(Role.VIEWER, Role.AUDITOR), []);
    const { entries } = await world.entries();
    assert.deepEqual(
      entries.map(({ action, detailJson, outcomeJson }) => [action, detailJson, outcomeJson]),
      Array.from({ length: 2 }, () => ['locate', '{"record_id":"ann.1"}', '{"recipients":2}']),
      'whoever was told whom it was for is in the audit log',
    );
  });

  it('says when it was not accepted', async () => {
    await begin();
    await world.append({ id: 'ann.1' }, { id: 'ann.1', kind: ArchiveRecordKind.NOT_ACCEPTED });
    await world.archived();
    assert.equal((await locate('ann.1')).state, RecordState.NOT_ACCEPTED);
  });

  it('is refused for what is no record, not archived yet, or the id of something else', async () => {
    await begin();
    await world.append(Buffer.from('not a record'), { id: 'ann.1' }, { id: 'ann.1', hash: 2 });
    await world.archived();
    const [parked, , other] = await world.links();
    for (const id of ['ann.9', `parked!${parked?._id}`, other?.content ?? ''])
      await assert.rejects(locate(id), code('archive.record_not_found', 'record_id'), id);
    await assert.rejects(locate(''), code('archive.field_missing', 'record_id'));
    await assert.rejects(locate('a b'), code('archive.field_invalid', 'record_id'));
  });
});
