import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { imEvents } from '../collections.ts';
import { notApplied } from '../testing/faulty-store.ts';
import { createWorld, type Replica, until, type World } from '../testing/world.ts';

const { IM_EVENT, NOT_ACCEPTED } = ArchiveRecordKind;
/** A record is looked at once it is 1,500 ms old. */
const quick = { keyVisibleMs: 1_000, reconcileMarginMs: 500, cursorLagMs: 3_000, completeMaxAgeMs: 3_000_000 };

let world: World;
let im: Replica;
let messageId: string;
const begin = async (config: Parameters<typeof createWorld>[0] = {}) => {
  world = await createWorld({ ...quick, logDeadlineMs: 2_000, ...config });
  im = await world.replica();
  messageId = world.uuid(900);
};
afterEach(() => world.close());

const refused = { code: 'im.archive_unavailable' };
const unknown = { code: 'im.outcome_unknown' };
const kinds = async () => (await world.archived()).map(record => record.kind);
const texts = async (person = 'dora') => (await im.sync(person)).events.map(event => event.content?.text);
const archiver = () => world.log.consume('archive', 'archiving', async () => undefined);
const attempt = (n: number, recipient = 'dora') => im.send('ann', recipient, 'x', { messageId, attempt: n });

/** Attempt 0 of a critical message: it is in the log, and its process died, for all anybody knows. */
async function logged(): Promise<void> {
  im.faults.insertEvent = notApplied;
  await assert.rejects(attempt(0), unknown);
}

async function refuse(n: number): Promise<void> {
  world.logFaults.refuseAppends();
  await assert.rejects(attempt(n), refused);
  world.logFaults.heal();
}

/** A write that waits until it is released. */
function hold() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waits = false;
  return {
    release: resolve,
    reached: () => until(() => waits, 'the write to be reached'),
    fault: async <T>(apply: () => Promise<T>): Promise<T> => {
      waits = true;
      await promise;
      return apply();
    },
  };
}

describe('a refusal of a message that an earlier try had logged', () => {
  for (const why of ['the log fails', 'archiving stands still'] as const)
    it(`holds when it comes because ${why}`, async () => {
      await begin({ lagCheckMs: 100, maxArchiveStallMs: why === 'the log fails' ? 60_000 : 100 });
      if (why === 'the log fails') await archiver();
      await logged();
      await world.clock.advance(500);
      if (why === 'the log fails') await refuse(1);
      else await assert.rejects(attempt(1), refused);
      await world.clock.advance(60_000);
      assert.deepEqual(await texts(), []);
      assert.deepEqual(await texts('ann'), []);
      assert.equal(world.published.length, 0);
      assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
    });

  it('ends with the next try that succeeds, before the reconciler looked: one message, and accepted', async () => {
    await begin();
    await archiver();
    await logged();
    await refuse(1);
    assert.equal((await attempt(2)).replayed, false);
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), ['x']);
    assert.deepEqual(await texts('ann'), ['x']);
    assert.deepEqual(await kinds(), [IM_EVENT, IM_EVENT]);
    assert.equal((await attempt(3)).replayed, true);
  });

  it('ends with the next try that succeeds, after the reconciler said that it was not accepted', async () => {
    await begin();
    await archiver();
    await logged();
    await refuse(1);
    await world.clock.advance(10_000);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
    const answer = await attempt(2);
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), ['x']);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED, IM_EVENT]);
    const { events } = await im.history('dora', { withPersonId: 'ann' });
    assert.deepEqual(
      events.map(event => event.key),
      [answer.key],
    );
  });

  it('becomes the stored result when the reconciler was faster', async () => {
    await begin();
    await archiver();
    await logged();
    world.logFaults.refuseAppends();
    im.faults.insertRefusal = async apply => {
      await world.clock.advance(2_000);
      assert.deepEqual(await texts(), ['x']);
      return apply();
    };
    assert.equal((await attempt(1)).replayed, true);
    world.logFaults.heal();
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), ['x']);
    assert.deepEqual(await kinds(), [IM_EVENT]);
  });

  it('holds when the reconciler is about to deliver it', async () => {
    await begin();
    await archiver();
    await logged();
    const delivery = hold();
    im.faults.insertEvent = delivery.fault;
    await world.clock.advance(2_000);
    await delivery.reached();
    await refuse(1);
    delivery.release();
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), []);
    assert.equal(world.published.length, 0);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
  });

  it('holds when the first try is still about to store it', async () => {
    await begin();
    await archiver();
    const first = hold();
    im.faults.insertEvent = first.fault;
    const sent = assert.rejects(attempt(0), unknown);
    await first.reached();
    await refuse(1);
    first.release();
    await sent;
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), []);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
  });

  it('holds when a try that began after an earlier refusal is still about to store it', async () => {
    await begin();
    await archiver();
    await logged();
    await refuse(1);
    const second = hold();
    im.faults.replaceEvent = second.fault;
    const sent = assert.rejects(attempt(2), unknown);
    await second.reached();
    await refuse(3);
    second.release();
    await sent;
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), []);
    assert.equal((await kinds()).at(-1), NOT_ACCEPTED);
    await attempt(4);
    assert.deepEqual(await texts(), ['x']);
    await world.clock.advance(60_000);
    assert.equal((await kinds()).at(-1), IM_EVENT);
  });

  it('holds when a try that began after an earlier refusal has not got as far as the log', async () => {
    await begin();
    await archiver();
    await logged();
    await refuse(1);
    const cold = await world.replica();
    const directory = hold();
    world.directory.before = () => directory.fault(async () => undefined);
    const request = { messageId, attempt: 2 };
    const sent = assert.rejects(cold.send('ann', 'dora', 'x', request), unknown);
    await directory.reached();
    await refuse(3);
    directory.release();
    await sent;
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), []);
    assert.equal((await kinds()).at(-1), NOT_ACCEPTED);
  });

  it('leaves no try behind that stores it after the verdict, however long that took', async () => {
    await begin();
    await archiver();
    await logged();
    await refuse(1);
    const second = hold();
    im.faults.replaceEvent = second.fault;
    const sent = assert.rejects(attempt(2), unknown);
    await second.reached();
    await world.clock.advance(60_000);
    assert.equal((await kinds()).at(-1), NOT_ACCEPTED);
    second.release();
    await sent;
    assert.deepEqual(await texts(), []);
    await attempt(3);
    await world.clock.advance(60_000);
    assert.deepEqual(await texts(), ['x']);
    assert.equal((await kinds()).at(-1), IM_EVENT);
  });

  it('is not claimed when it cannot be kept', async () => {
    await begin();
    await archiver();
    await logged();
    world.logFaults.refuseAppends();
    im.faults.insertRefusal = notApplied;
    await assert.rejects(attempt(1), unknown);
    world.logFaults.heal();
    await world.clock.advance(2_000);
    assert.deepEqual(await texts(), ['x']);
    assert.equal((await attempt(2)).replayed, true);
  });

  it('costs the store nothing for a message that was never tried before', async () => {
    await begin();
    await im.send('ann', 'dora', 'warm');
    world.logFaults.refuseAppends();
    const before = im.reads.calls;
    for (let i = 0; i < 10; i++) await assert.rejects(im.send('ann', 'dora', 'x'), refused);
    assert.equal(im.reads.calls, before);
    world.logFaults.heal();
  });

  it('is forgotten when all that was logged is too old to be completed, and not before', async () => {
    const slow = { lagCheckMs: 60_000, relayEveryMs: 600_000, lagStaleMs: 120_000, clockSampleMs: 60_000 };
    await begin({ ...slow, refusalKeepMs: 3_600_000 });
    await archiver();
    await im.send('ann', 'dora', 'kept');
    await logged();
    await refuse(1);
    // What a reconciler finds that was away all the time.
    await im.module.stop();
    await world.clock.advance(1_800_000);
    im = await world.replica();
    const count = () => world.store.collection(imEvents).count('conversation', {}, 10);
    assert.equal(await count(), 2);
    await world.clock.advance(3_600_000);
    assert.equal(await count(), 2, 'the verdict refused it once more');
    await world.clock.advance(7_200_000);
    assert.equal(await count(), 1);
    assert.deepEqual(await texts(), ['kept']);
    assert.deepEqual(await kinds(), [IM_EVENT, IM_EVENT, NOT_ACCEPTED]);
  });
});

describe('a verdict about a message that was never stored', () => {
  it('leaves no try behind that stores it afterwards, however long that took', async () => {
    await begin();
    const first = hold();
    im.faults.insertEvent = first.fault;
    const sent = assert.rejects(attempt(0, 'cleo'), unknown);
    await first.reached();
    world.directory.change('cleo', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    await world.clock.advance(60_000);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
    first.release();
    await sent;
    assert.deepEqual(await texts('ann'), []);
    world.directory.change('cleo', { enabled: true, version: 3n });
    world.bus.breakContinuity();
    await attempt(1, 'cleo');
    await world.clock.advance(60_000);
    assert.deepEqual(await texts('cleo'), ['x']);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED, IM_EVENT]);
  });
});

describe('a repetition', () => {
  it('is answered with what is stored, although the recipient was disabled since', async () => {
    await begin();
    const first = await attempt(0, 'cleo');
    world.directory.change('cleo', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    assert.deepEqual(await attempt(1, 'cleo'), { ...first, replayed: true });
  });

  it('that is refused for good is delivered to nobody, although an earlier try had logged it', async () => {
    await begin();
    im.faults.insertEvent = notApplied;
    await assert.rejects(attempt(0, 'cleo'), unknown);
    world.directory.change('cleo', { enabled: false, version: 2n });
    world.bus.breakContinuity();
    await assert.rejects(attempt(1, 'cleo'), { code: 'im.recipient_disabled' });
    world.directory.change('cleo', { enabled: true, version: 3n });
    world.bus.breakContinuity();
    await world.clock.advance(60_000);
    assert.deepEqual(await texts('cleo'), []);
    assert.deepEqual(await kinds(), [IM_EVENT, NOT_ACCEPTED]);
    await attempt(2, 'cleo');
    assert.deepEqual(await texts('cleo'), ['x']);
  });
});
