import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { subjects } from '@parley/bus';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import { ImEventSchema } from '@parley/contracts/im/v1/im';
import { ContactLevel } from '@parley/contracts/presence/v1/presence';
import { ResyncReason, SessionEndReason } from '@parley/contracts/session/v1/session';
import { createWorld, watch } from './testing/harness.ts';

describe('changes of presence', () => {
  it('that come twice or late are not sent again', async () => {
    const world = createWorld();
    world.bus.faults.duplicate = () => true;
    const pod = await world.pod();
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    const old = world.presence.view('bob', ContactLevel.COLLEAGUES);
    world.presence.change('bob', 6500);
    world.presence.change('bob', 9500);
    const envelope = create(PresenceEnvelopeSchema, { revision: 1n, aclRevision: 1n, view: old });
    world.bus.publish(subjects.presence('bob', 'colleagues'), toBinary(PresenceEnvelopeSchema, envelope));
    world.bus.publish(subjects.presence('bob', 'colleagues'), Buffer.from('nonsense'));
    await world.settle();
    assert.deepEqual(stream.presence, ['bob 6500 colleagues', 'bob 9500 colleagues']);
    await world.clock.advance(1_000);
    const metrics = await pod.metrics.render();
    assert.match(metrics, /presence_changes_total\{outcome="old"\} 4/);
    assert.match(metrics, /presence_changes_total\{outcome="unreadable"\} 2/);
  });

  it('reach each watcher at his level', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const { levels } = world.presence.person('bob');
    levels
      .set('w1', ContactLevel.WORKGROUP)
      .set('w2', ContactLevel.FRIENDS_AND_FAMILY)
      .set('w3', ContactLevel.EXTERNAL);
    levels.set('w4', ContactLevel.BLOCKED);
    const opened = [];
    for (const id of ['w0', 'w1', 'w2', 'w3', 'w4']) opened.push(await pod.open(id, { watchPersonIds: ['bob'] }));
    world.presence.change('bob', 6500);
    await world.settle();
    assert.deepEqual(
      opened.map(o => o.stream.presence),
      [
        ['bob 3500 colleagues', 'bob 6500 colleagues'],
        ['bob 3500 workgroup', 'bob 6500 workgroup'],
        ['bob 3500 friends', 'bob 6500 friends'],
        ['bob 3500 external', 'bob 6500 external'],
        ['bob 18500 blocked'],
      ],
    );
  });

  it('use one subscription for all watchers of a level, and give it back some time after the last one', async () => {
    const world = createWorld();
    const pod = await world.pod({ lingerMs: 30_000 });
    const opened = [];
    for (let i = 0; i < 5; i++) opened.push(await pod.open(`w${i}`, { watchPersonIds: ['bob'] }));
    let delivered = 0;
    world.bus.faults.drop = m => {
      if (m.subject.startsWith('presence.bob.')) delivered++;
      return false;
    };
    world.presence.change('bob', 6500);
    assert.equal(delivered, 1);
    for (const o of opened) o.abort();
    await world.clock.advance(10_000);
    world.presence.change('bob', 3500);
    assert.equal(delivered, 2, 'somebody may come back soon');
    const back = await pod.open('w0', { watchPersonIds: ['bob'] });
    await world.clock.advance(60_000);
    world.presence.change('bob', 6500);
    await world.settle();
    assert.equal(back.stream.presence.at(-1), 'bob 6500 colleagues');
    delivered = 0;
    back.abort();
    await world.clock.advance(120_000);
    world.presence.change('bob', 3500);
    assert.equal(delivered, 0);
    assert.match(await pod.metrics.render(), /parley_session_views 0/);
  });

  it('are repaired from digests when the bus lost them', async () => {
    const world = createWorld();
    const pod = await world.pod({ digestIntervalMs: 60_000, digestBatch: 2 });
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob', 'carol', 'dave'] });
    stream.clear();
    world.presence.change('carol', 6500, true);
    await world.clock.advance(61_000);
    assert.deepEqual(stream.presence, ['carol 6500 colleagues']);
    assert.deepEqual(
      world.presence.digests.map(keys => keys.length),
      [2, 1],
    );
    await world.clock.advance(60_000);
    assert.equal(stream.presence.length, 1);
    assert.match(await pod.metrics.render(), /digest_repairs_total 1/);
  });

  it('go on being compared after presence was away', async () => {
    const world = createWorld();
    const pod = await world.pod({ digestIntervalMs: 60_000 });
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    world.presence.fail = call => (call === 'getDigests' ? new Error('away') : undefined);
    world.presence.change('bob', 6500, true);
    await world.clock.advance(61_000);
    assert.deepEqual(stream.presence, []);
    world.presence.fail = () => undefined;
    await world.clock.advance(60_000);
    assert.deepEqual(stream.presence, ['bob 6500 colleagues']);
  });
});

describe('a changed access list', () => {
  it('hides a person from all until it is known again who may see what', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const anna = await pod.open('anna', { watchPersonIds: ['bob'] });
    const carl = await pod.open('carl', { watchPersonIds: ['bob'] });
    for (const { stream } of [anna, carl]) stream.clear();
    const waiting: (() => void)[] = [];
    world.presence.hold = call => (call === 'resolve' ? new Promise(resolve => waiting.push(resolve)) : undefined);
    world.presence.setLevel('bob', 'anna', ContactLevel.BLOCKED);
    world.presence.change('bob', 6500);
    await world.settle();
    assert.deepEqual([anna.stream.presence, carl.stream.presence], [[], []], 'fails closed');
    for (const go of waiting) go();
    await world.settle();
    assert.deepEqual(anna.stream.presence, ['bob 18500 blocked']);
    assert.deepEqual(carl.stream.presence, ['bob 6500 colleagues']);
    world.presence.change('bob', 9500);
    await world.settle();
    assert.equal(anna.stream.presence.length, 1);
    assert.equal(carl.stream.presence.at(-1), 'bob 9500 colleagues');
  });

  it('shows him again to somebody who is no longer blocked', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.presence.person('bob').levels.set('anna', ContactLevel.BLOCKED);
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    await world.clock.advance(120_000);
    stream.clear();
    world.presence.setLevel('bob', 'anna', ContactLevel.WORKGROUP);
    await world.settle();
    assert.deepEqual(stream.presence, ['bob 3500 workgroup']);
    world.presence.change('bob', 6500);
    await world.settle();
    assert.equal(stream.presence.at(-1), 'bob 6500 workgroup');
  });

  it('that takes somebody out of his level is heard of, though that level is published no more', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.presence.person('bob').levels.set('anna', ContactLevel.WORKGROUP);
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    await world.clock.advance(120_000);
    stream.clear();
    world.bus.faults.drop = m => m.subject === 'presence.bob.workgroup';
    world.presence.setLevel('bob', 'anna', ContactLevel.EXTERNAL);
    await world.settle();
    assert.deepEqual(stream.presence, ['bob 3500 external']);
  });

  it('is found by digests when the bus lost it', async () => {
    const world = createWorld();
    const pod = await world.pod({ digestIntervalMs: 60_000 });
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    world.presence.setLevel('bob', 'anna', ContactLevel.BLOCKED, true);
    await world.clock.advance(61_000);
    assert.deepEqual(stream.presence, ['bob 18500 blocked']);
  });

  it('is asked for again, with growing pauses, while presence does not answer', async () => {
    const world = createWorld();
    const pod = await world.pod({ resolveRetryMs: 200, resolveRetryMaxMs: 5_000 });
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    let tries = 0;
    world.presence.fail = call => (call === 'resolve' && ++tries > 0 ? new Error('away') : undefined);
    world.presence.setLevel('bob', 'anna', ContactLevel.WORKGROUP);
    await world.clock.advance(20_000);
    assert.deepEqual(stream.presence, []);
    assert.ok(tries >= 5 && tries <= 15, `${tries} tries in 20 s`);
    world.presence.fail = () => undefined;
    await world.clock.advance(5_000);
    assert.deepEqual(stream.presence, ['bob 3500 workgroup']);
  });

  it('is not believed older than it was heard of', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    // A replica of presence that lags answers with the list before.
    const before = world.presence.resolve('anna', 'bob');
    const { resolve } = world.presence;
    let lagging = true;
    world.presence.resolve = (watcher, id) => (lagging ? before : resolve.call(world.presence, watcher, id));
    world.presence.setLevel('bob', 'anna', ContactLevel.BLOCKED);
    await world.clock.advance(1_000);
    assert.deepEqual(stream.presence, []);
    lagging = false;
    await world.clock.advance(1_000);
    assert.deepEqual(stream.presence, ['bob 18500 blocked']);
  });

  it('does not miss a change between the answer and the first subscription to a level', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.presence.person('bob').levels.set('anna', ContactLevel.WORKGROUP);
    const { resolve } = world.presence;
    let changed = false;
    world.presence.resolve = (watcher, id) => {
      const answer = resolve.call(world.presence, watcher, id);
      // Published after the answer was made: nobody listens to the level yet.
      if (!changed) world.presence.change('bob', 6500);
      changed = true;
      return answer;
    };
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    assert.equal(stream.presence.at(-1), 'bob 6500 workgroup');
  });
});

describe('a slow reader', () => {
  const event = (id: string) => toBinary(ImEventSchema, create(ImEventSchema, { id, senderId: 'x'.repeat(100) }));

  it('gets nothing more past its limit, and when it has caught up one Resync and a fresh snapshot', async () => {
    const world = createWorld();
    const pod = await world.pod({ queueBytes: 2_048 });
    const slow = await pod.open('anna', { watchPersonIds: ['bob', 'carol'] });
    const { sessionId, stream } = slow;
    const fast = await pod.open('anna', { endpointId: 'another-device' });
    stream.clear();
    stream.reading = false;
    for (let i = 0; i < 100; i++) world.bus.publish(subjects.im('anna'), event(`e${i}`));
    await world.settle();
    world.presence.change('bob', 6500);
    world.bus.breakContinuity({ kind: 'slow-consumer', pattern: 'x' });
    const id = await watch(pod, { ...slow, sessionId }, []);
    await world.clock.advance(25_000);
    assert.ok(stream.frames.length < 25 && stream.frames.length > 10, `${stream.frames.length} events`);
    assert.deepEqual(new Set(stream.kinds), new Set(['im']));
    assert.equal(fast.stream.all('im').length, 100, 'others of the same person are not held up');
    stream.clear();
    stream.drain();
    await world.settle();
    assert.deepEqual(stream.kinds, ['resync', 'presence', 'presence']);
    assert.equal(stream.all('resync')[0]?.reason, ResyncReason.SLOW_READER);
    assert.deepEqual([...stream.presence].sort(), ['bob 6500 colleagues', 'carol 3500 colleagues']);
    await watch(pod, { ...slow, sessionId }, [], [], id);
    await world.settle();
    assert.deepEqual(
      stream.all('commandResult').map(r => r.commandId),
      [id],
      'a lost outcome can be asked for again',
    );
    world.presence.change('bob', 3500);
    await world.clock.advance(60_000);
    assert.equal(stream.presence.at(-1), 'bob 3500 colleagues');
    assert.equal(stream.all('resync').length, 1);
    assert.equal(stream.all('sessionEnded').length, 0);
    const metrics = await pod.metrics.render();
    assert.match(metrics, /slow_readers_total 1/);
    assert.match(metrics, /resyncs_total\{reason="slow_reader"\} 1/);
    assert.match(metrics, /events_dropped_total\{kind="presence"\} 1/);
  });

  it('that does not catch up in time is disconnected, with grace for its device', async () => {
    const world = createWorld();
    const pod = await world.pod({ queueBytes: 2_048, slowReaderTimeoutMs: 30_000 });
    const opened = await pod.open('anna');
    opened.stream.reading = false;
    for (let i = 0; i < 100; i++) world.bus.publish(subjects.im('anna'), event(`e${i}`));
    await world.clock.advance(29_500);
    assert.equal(opened.stream.kinds.includes('sessionEnded'), false);
    await world.clock.advance(1_000);
    await opened.ended;
    assert.equal(opened.stream.all('sessionEnded')[0]?.reason, SessionEndReason.TOO_SLOW);
    assert.deepEqual(world.presence.closed, [{ endpointId: 'device-of-anna', signedOut: false }]);
  });

  it('is one who leaves too many events waiting, too, however small they are', async () => {
    const world = createWorld();
    const pod = await world.pod({ queueEvents: 16 });
    const { stream } = await pod.open('anna');
    stream.clear();
    stream.reading = false;
    for (let i = 0; i < 100; i++) world.bus.publish(subjects.im('anna'), Buffer.from([]));
    await world.settle();
    assert.ok(stream.frames.length <= 17, String(stream.frames.length));
    stream.drain();
    assert.equal(stream.all('resync').length, 1);
  });

  it('has caught up even when the end of his small queue is not told', async () => {
    const world = createWorld();
    const pod = await world.pod({ queueEvents: 16 });
    const { stream } = await pod.open('anna');
    stream.reading = false;
    for (let i = 0; i < 100; i++) world.bus.publish(subjects.im('anna'), Buffer.from([]));
    await world.settle();
    stream.queuedBytes = 0;
    stream.reading = true;
    await world.clock.advance(1_000);
    assert.equal(stream.all('resync').length, 1);
  });

  it('gets a snapshot larger than its queue piece by piece', async () => {
    const world = createWorld();
    const pod = await world.pod({ queueBytes: 20_000 });
    const watchPersonIds = Array.from({ length: 200 }, (_, i) => `p${i}`);
    for (const id of watchPersonIds) world.presence.person(id).note = 'n'.repeat(400);
    const opened = pod.connect('anna', { watchPersonIds });
    opened.stream.reading = false;
    await world.settle();
    for (let i = 0; i < 30 && opened.stream.queuedBytes > 0; i++) {
      assert.ok(opened.stream.queuedBytes < 12_000, `${opened.stream.queuedBytes} bytes wait`);
      opened.stream.drain(true);
    }
    const views = opened.stream.presence;
    assert.equal(views.length, 200);
    assert.equal(new Set(views).size, 200);
    assert.equal(opened.stream.all('resync').length, 0);
  });
});
