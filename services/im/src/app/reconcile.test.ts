import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { floorKey } from '../domain/hybrid-clock.ts';
import { appliedButUnknown, notApplied } from '../testing/faulty-store.ts';
import { createWorld, type Replica, until, type World } from '../testing/world.ts';

const { IM_EVENT, NOT_ACCEPTED } = ArchiveRecordKind;
/** A record is looked at once it is 1,500 ms old. */
const quick = { keyVisibleMs: 1_000, reconcileMarginMs: 500, cursorLagMs: 3_000, completeMaxAgeMs: 3_600_000 };

let world: World;
let im: Replica;
const begin = async (config: Parameters<typeof createWorld>[0] = {}) => {
  world = await createWorld({ ...quick, ...config });
  im = await world.replica();
};
afterEach(() => world.close());

const unknown = { code: 'im.outcome_unknown' };
const kinds = async () => (await world.archived()).map(record => record.kind);
const texts = async (person: string) => (await im.sync(person)).events.map(event => event.content?.text);

describe('the reconciler', () => {
  it('delivers what was logged and never stored, with a fresh key', async () => {
    await begin();
    im.faults.insertEvent = notApplied;
    const messageId = world.uuid(7);
    await assert.rejects(im.send('ann', 'cleo', 'lost?', { messageId }), unknown);
    await world.clock.advance(1_400);
    assert.deepEqual(await texts('cleo'), []);
    await world.clock.advance(200);
    const [event] = (await im.sync('cleo')).events;
    const [record] = await world.archived();
    assert.equal(event?.content?.text, 'lost?');
    assert.equal(event?.acceptedMs, record?.acceptedMs);
    assert.ok(event.key > (record?.key ?? ''));
    assert.deepEqual(world.published.map(p => p.subject).sort(), ['im.ann', 'im.cleo']);
    assert.deepEqual(await kinds(), [IM_EVENT]);
    const again = await im.send('ann', 'cleo', 'lost?', { messageId, attempt: 1 });
    assert.deepEqual([again.replayed, again.key], [true, event.key]);
    assert.equal(await im.metric('parley_im_reconciled_total{result="completed"}'), 1);
  });

  it('keeps it behind what its author had seen, also when time is earlier than it was', async () => {
    await begin({ maxAheadMs: 10_000 });
    im.faults.insertEvent = notApplied;
    const seen = floorKey(world.clock.now() + 8_000);
    await assert.rejects(im.send('ann', 'cleo', 'lost?', { afterKey: seen }), unknown);
    await im.module.stop();
    im = await world.replica();
    await world.clock.advance(2_000);
    const [event] = (await im.sync('cleo')).events;
    assert.ok(event && event.key > seen);
  });

  it('does so after a restart, when nobody remembers anything', async () => {
    await begin();
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'cleo', 'lost?'), unknown);
    await im.send('ann', 'cleo', 'stored');
    await im.module.stop();
    im = await world.replica();
    await world.clock.advance(2_000);
    assert.deepEqual((await texts('cleo')).sort(), ['lost?', 'stored']);
    assert.deepEqual(await kinds(), [IM_EVENT, IM_EVENT]);
  });

  it('leaves alone what was stored although nobody could know', async () => {
    await begin();
    im.faults.insertEvent = appliedButUnknown;
    await assert.rejects(im.send('ann', 'cleo', 'stored'), unknown);
    await world.clock.advance(5_000);
    assert.deepEqual(await texts('cleo'), ['stored']);
    assert.deepEqual(await kinds(), [IM_EVENT]);
    assert.equal(world.published.length, 0);
  });

  it('does not ask the store for what this process stored itself', async () => {
    await begin();
    await im.send('ann', 'cleo', '1');
    await im.send('cleo', 'ann', '2');
    await world.clock.advance(5_000);
    assert.equal(im.reads.getMany, 0);
    assert.deepEqual(await committed(), 2);
  });

  it('gives way to a write of the sender that is later than itself: one message, one id', async () => {
    await begin();
    let release = () => {};
    const held = new Promise<void>(resolve => (release = resolve));
    im.faults.insertEvent = async apply => {
      await held;
      return apply();
    };
    const sent = im.send('ann', 'cleo', 'late');
    await world.clock.advance(2_000);
    assert.deepEqual(await texts('cleo'), ['late']);
    release();
    const answer = await sent;
    assert.equal(answer.replayed, true);
    assert.deepEqual(
      (await im.sync('cleo')).events.map(e => e.key),
      [answer.key],
    );
    await world.clock.advance(5_000);
    assert.deepEqual(await kinds(), [IM_EVENT]);
  });

  it('marks as not accepted what may no longer be delivered', async () => {
    await begin();
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'cleo', 'never'), unknown);
    world.directory.change('cleo', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    await world.clock.advance(2_000);
    await until(async () => (await kinds()).length === 2);
    const [record, verdict] = await world.archived();
    assert.equal(verdict?.kind, NOT_ACCEPTED);
    assert.equal(verdict?.recordId, record?.recordId);
    assert.deepEqual(verdict?.contentHash, record?.contentHash);
    assert.equal(verdict?.conversationId, record?.conversationId);
    await world.clock.advance(5_000);
    assert.deepEqual(await texts('ann'), []);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
  });

  it('marks as not accepted what it finds too late', async () => {
    await begin({ completeMaxAgeMs: 10_000 });
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'cleo', 'old'), unknown);
    await im.module.stop();
    await world.clock.advance(11_000);
    im = await world.replica();
    await world.clock.advance(1_000);
    await until(async () => (await kinds()).length === 2);
    assert.deepEqual(await texts('cleo'), []);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
  });

  it('takes a verdict back when the message was stored after all', async () => {
    await begin();
    await im.send('ann', 'cleo', 'here');
    const [first] = await world.archived();
    assert.ok(first);
    const value = toBinary(ArchiveRecordSchema, { ...first, kind: NOT_ACCEPTED });
    await world.log.append('archive', [{ key: first.conversationId, value }]);
    await world.clock.advance(10_000);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED, IM_EVENT]);
    assert.deepEqual((await world.archived()).at(-1), first);
    assert.deepEqual(await texts('cleo'), ['here']);
  });

  it('marks the content that was refused because its id had another one', async () => {
    await begin();
    const messageId = world.uuid(7);
    await im.send('ann', 'cleo', 'first', { messageId });
    await assert.rejects(im.send('ann', 'cleo', 'second', { messageId }), { code: 'im.message_id_reused' });
    await world.clock.advance(10_000);
    assert.deepEqual(await kinds(), [IM_EVENT, IM_EVENT, NOT_ACCEPTED]);
    const [, second, verdict] = await world.archived();
    assert.deepEqual(verdict?.contentHash, second?.contentHash);
    assert.deepEqual(await texts('cleo'), ['first']);
  });

  it('waits for a directory or a store that is away, and then goes on', async () => {
    await begin();
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'cleo', 'wait'), unknown);
    world.bus.breakContinuity();
    world.directory.before = async () => {
      throw new Error('away');
    };
    await world.clock.advance(3_000);
    assert.deepEqual(await texts('cleo'), []);
    world.directory.before = undefined;
    im.faults.insertEvent = notApplied;
    await world.clock.advance(120_000);
    assert.deepEqual(await texts('cleo'), ['wait']);
    assert.equal(await committed(), 1);
  });

  it('says once what it has to say, however often the rest of the batch fails', async () => {
    await begin({ archivePartitions: 1, reconcileBatch: 2 });
    world.directory.add('gone', 'archived');
    for (const recipient of ['gone', 'cleo']) {
      im.faults.insertEvent = notApplied;
      await assert.rejects(im.send('ann', recipient, 'x'), unknown);
    }
    // Both in one batch, whose second record cannot be judged: the store refuses it.
    await im.module.stop();
    im = await world.replica();
    world.directory.change('gone', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    const refuse = async () => {
      im.faults.insertEvent = refuse;
      return notApplied();
    };
    im.faults.insertEvent = refuse;
    await world.clock.advance(120_000);
    im.faults.insertEvent = undefined;
    await world.clock.advance(60_000);
    assert.deepEqual(await texts('cleo'), ['x']);
    assert.deepEqual((await kinds()).sort(), [IM_EVENT, IM_EVENT, NOT_ACCEPTED]);
  });

  it('gives one verdict about one message, however often it was tried', async () => {
    await begin();
    const messageId = world.uuid(7);
    for (const attempt of [0, 1, 2]) {
      im.faults.insertEvent = notApplied;
      await assert.rejects(im.send('ann', 'cleo', 'x', { messageId, attempt }), unknown);
    }
    world.directory.change('cleo', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    await world.clock.advance(10_000);
    assert.deepEqual(await kinds(), [IM_EVENT, IM_EVENT, IM_EVENT, NOT_ACCEPTED]);
  });

  it('passes over what is no record or of a later version, says so, and concludes nothing from it', async () => {
    await begin();
    const later = { version: 2, kind: IM_EVENT, recordId: 'ann.1', senderId: 'ann' };
    const values = [Buffer.from('not a record'), toBinary(ArchiveRecordSchema, create(ArchiveRecordSchema, later))];
    await world.log.append(
      'archive',
      values.map(value => ({ key: 'x', value })),
    );
    await world.clock.advance(2_000);
    assert.equal(await committed(), 2);
    assert.equal(await im.metric('parley_im_reconciled_total{result="unreadable"}'), 2);
  });

  it('does not stop at a record whose event im cannot have logged', async () => {
    await begin({ archivePartitions: 1 });
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'cleo', 'x'), unknown);
    const [good] = await world.archived();
    assert.ok(good);
    const [event, conversationId] = [Buffer.from([0xff, 0xff]), `d_${'x'.repeat(24)}`];
    const bad = [{ event }, { event: new Uint8Array() }, { conversationId }, { conversationId: '' }, { senderId: '' }];
    const values = bad.map((wrong, n) => toBinary(ArchiveRecordSchema, { ...good, recordId: `ann.${n}`, ...wrong }));
    await world.log.append(
      'archive',
      values.map(value => ({ key: 'x', value })),
    );
    await world.clock.advance(10_000);
    assert.deepEqual(await texts('cleo'), ['x']);
    assert.equal(await committed(), 6);
    assert.equal(await im.metric('parley_im_reconciled_total{result="unreadable"}'), 5);
  });
});

async function committed(): Promise<number> {
  const positions = await world.log.committed('archive', 'im-reconcile');
  return [...positions.values()].reduce((sum, next) => sum + next, 0);
}
