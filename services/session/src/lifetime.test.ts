import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { subjects } from '@parley/bus';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import { ResyncReason, SessionEndReason } from '@parley/contracts/session/v1/session';
import { defineErrors } from '@parley/rpc';
import { RELEASE_MS } from './app/drain.ts';
import { createWorld, type Opened, type World } from './testing/harness.ts';

const noLease = defineErrors({ 'presence.no_lease': { kind: 'precondition', message: 'none', remedy: '' } });
const reason = (opened: Opened) => opened.stream.all('sessionEnded')[0]?.reason;

function directoryChanged(
  world: World,
  person: string,
  change: { disabled?: boolean; endedSignInIds?: string[]; allSignInsEnded?: boolean },
): void {
  const bytes = toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, change));
  world.bus.publish(subjects.directoryChanged(person), bytes);
}

describe('heartbeats', () => {
  it('come only when nothing else was sent for their time', async () => {
    const world = createWorld();
    const pod = await world.pod({ heartbeatMs: 20_000 });
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob'] });
    stream.clear();
    await world.clock.advance(19_500);
    assert.deepEqual(stream.kinds, []);
    await world.clock.advance(1_000);
    assert.deepEqual(stream.kinds, ['heartbeat']);
    assert.ok(Math.abs(Number(stream.all('heartbeat')[0]?.serverTimeMs) - world.clock.now()) <= 1_000);
    await world.clock.advance(10_000);
    world.presence.change('bob', 6500);
    await world.clock.advance(19_500);
    assert.deepEqual(stream.kinds, ['heartbeat', 'presence']);
    await world.clock.advance(1_000);
    assert.deepEqual(stream.kinds, ['heartbeat', 'presence', 'heartbeat']);
  });

  it('need one timer, however many sessions there are', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const before = world.clock.pending;
    for (let i = 0; i < 50; i++) await pod.open(`p${i}`, { watchPersonIds: ['bob'] });
    assert.equal(world.clock.pending, before);
  });
});

describe('the end of a stream', () => {
  it('comes with the end of the token, with grace for the device', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna', { expiresInMs: 15_000 });
    await world.clock.advance(14_900);
    assert.equal(reason(opened), undefined);
    await world.clock.advance(600);
    assert.equal(reason(opened), SessionEndReason.TOKEN_EXPIRED);
    await opened.ended;
    assert.deepEqual(world.presence.closed, [{ endpointId: 'device-of-anna', signedOut: false }]);
  });

  it('comes at once for every stream of a person who is disabled or signed out everywhere', async () => {
    for (const change of [{ disabled: true }, { allSignInsEnded: true }]) {
      const world = createWorld();
      const pod = await world.pod();
      const [one, two] = [
        await pod.open('anna', { endpointId: 'device-1' }),
        await pod.open('anna', { endpointId: 'device-2' }),
      ];
      const other = await pod.open('bob');
      directoryChanged(world, 'anna', change);
      await world.settle();
      assert.deepEqual([reason(one), reason(two)], [SessionEndReason.SIGNED_OUT, SessionEndReason.SIGNED_OUT]);
      assert.equal(reason(other), undefined);
      assert.deepEqual(
        world.presence.closed.map(c => c.signedOut),
        [true, true],
      );
    }
  });

  it('comes at once for the streams of the sign-ins that ended, and of those only', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const one = await pod.open('anna', { endpointId: 'device-1', signInId: 's1' });
    const two = await pod.open('anna', { endpointId: 'device-2', signInId: 's2' });
    directoryChanged(world, 'anna', {});
    directoryChanged(world, 'bob', { endedSignInIds: ['s2'] });
    directoryChanged(world, 'anna', { endedSignInIds: ['s0', 's1'] });
    await world.settle();
    assert.deepEqual([reason(one), reason(two)], [SessionEndReason.SIGNED_OUT, undefined]);
  });

  it('comes within the time of a check when the bus lost the event', async () => {
    const world = createWorld();
    const pod = await world.pod({ signInCheckMs: 10_000, signInCheckBatch: 2 });
    const opened = [];
    for (const n of [1, 2, 3]) opened.push(await pod.open(`p${n}`, { signInId: `s${n}` }));
    await pod.open('p1', { endpointId: 'device-2', signInId: 's1' });
    world.directory.ended.add('s3');
    await world.clock.advance(10_000);
    assert.deepEqual(opened.map(reason), [undefined, undefined, SessionEndReason.SIGNED_OUT]);
    assert.deepEqual(world.directory.asked, [['s1', 's2'], ['s3']], 'each sign-in once, in batches');
  });

  it('does not come because the directory is away; that is counted', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    world.directory.fail = new Error('away');
    await world.clock.advance(60_000);
    assert.equal(reason(opened), undefined);
    const metrics = await pod.metrics.render();
    assert.match(metrics, /sign_in_checks_total\{outcome="failed"\} 6/);
    assert.match(metrics, /sign_in_check_age_seconds 60/);
    world.directory.fail = undefined;
    world.directory.ended.add('sign-in-of-anna');
    await world.clock.advance(10_000);
    assert.equal(reason(opened), SessionEndReason.SIGNED_OUT);
  });
});

describe('a break of continuity', () => {
  it('makes every client synchronise, spread over time', async () => {
    const world = createWorld();
    const pod = await world.pod({ resyncSpreadMs: 10_000 });
    const opened = [];
    for (let i = 0; i < 40; i++) opened.push(await pod.open(`p${i}`));
    world.bus.disconnect();
    world.bus.restore();
    await world.settle();
    const waits = opened.map(o => {
      const resyncs = o.stream.all('resync');
      assert.equal(resyncs.length, 2, 'one when it broke, one when it was restored');
      assert.equal(resyncs[1]?.reason, ResyncReason.CONTINUITY);
      return resyncs[1]?.afterMs ?? 0;
    });
    assert.ok(Math.max(...waits) <= 10_000);
    assert.ok(new Set(waits).size > 20, 'not all at once');
  });

  it('counts the losses of a slow subscription within some seconds as one', async () => {
    const world = createWorld();
    const pod = await world.pod({ resyncMinIntervalMs: 5_000 });
    const { stream } = await pod.open('anna');
    stream.clear();
    for (let i = 0; i < 10; i++) world.bus.breakContinuity({ kind: 'slow-consumer', pattern: 'im.anna' });
    await world.settle();
    assert.deepEqual(stream.kinds, ['resync']);
    await world.clock.advance(5_000);
    assert.deepEqual(stream.kinds, ['resync', 'resync'], 'one more covers those that came after the first');
    await world.clock.advance(15_000);
    assert.equal(stream.all('resync').length, 2);
  });

  it('is followed by a comparison of all views with presence', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const { stream } = await pod.open('anna', { watchPersonIds: ['bob', 'carol'] });
    stream.clear();
    world.bus.disconnect();
    world.presence.change('bob', 6500);
    world.bus.restore();
    await world.settle();
    assert.deepEqual(stream.presence, ['bob 6500 colleagues']);
  });
});

describe('the lease', () => {
  it('is taken at the start, renewed, and given back at the end', async () => {
    const world = createWorld();
    const pod = await world.pod({ leaseMs: 60_000, leaseRenewMs: 15_000 });
    await world.clock.advance(45_000);
    assert.equal(world.presence.leases.length, 4);
    await pod.module.stop();
    const last = world.presence.leases.at(-1);
    assert.equal(last?.release, true);
    assert.equal(new Set(world.presence.leases.map(l => l.pod)).size, 1);
    await world.clock.advance(60_000);
    assert.equal(world.presence.leases.at(-1), last);
  });

  it('has a new name for each process', async () => {
    const world = createWorld();
    await world.pod();
    await world.pod();
    assert.equal(new Set(world.presence.leases.map(l => l.pod)).size, 2);
  });

  it('that ran out makes the clients connect again once it holds', async () => {
    const world = createWorld();
    const pod = await world.pod({ leaseMs: 60_000, leaseRenewMs: 15_000, resyncSpreadMs: 10_000 });
    const { stream } = await pod.open('anna');
    world.presence.fail = call => (call === 'renewLease' ? new Error('away') : undefined);
    await world.clock.advance(61_000);
    assert.equal(pod.ready(), false);
    assert.equal(stream.kinds.includes('reconnect'), false);
    world.presence.fail = () => undefined;
    await world.clock.advance(2_000);
    assert.equal(pod.ready(), true);
    assert.equal(stream.all('reconnect').length, 1);
    assert.ok((stream.all('reconnect')[0]?.afterMs ?? 0) < 10_000);
  });

  it('that presence has forgotten is taken again at once, and the clients connect again', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const { stream } = await pod.open('anna');
    world.presence.fail = call => (call === 'openEndpoint' ? noLease('presence.no_lease') : undefined);
    const refused = pod.connect('bob');
    await assert.rejects(refused.ended, { code: 'session.not_ready', kind: 'unavailable' });
    world.presence.fail = () => undefined;
    await world.settle();
    assert.equal(world.presence.leases.length, 2);
    assert.equal(stream.all('reconnect').length, 1);
    assert.deepEqual((await pod.open('bob')).stream.kinds, ['connected']);
  });

  it('that was renewed late, but in time, bothers nobody', async () => {
    const world = createWorld();
    const pod = await world.pod({ leaseMs: 60_000, leaseRenewMs: 15_000 });
    const { stream } = await pod.open('anna');
    world.presence.fail = call => (call === 'renewLease' ? new Error('away') : undefined);
    await world.clock.advance(40_000);
    world.presence.fail = () => undefined;
    await world.clock.advance(20_000);
    assert.equal(stream.kinds.includes('reconnect'), false);
  });
});

describe('stopping', () => {
  it('sends clients elsewhere spread over time, ends who stays, and gives the lease back', async () => {
    const world = createWorld();
    const pod = await world.pod({ drainMs: 10_000, drainSpreadMs: 4_000 });
    const opened = [];
    for (let i = 0; i < 20; i++) opened.push(await pod.open(`p${i}`));
    const stopped = pod.module.stop();
    await world.settle();
    assert.equal(pod.ready(), false);
    await assert.rejects(pod.connect('late').ended, { code: 'session.shutting_down', kind: 'unavailable' });
    const waits = opened.map(o => o.stream.all('reconnect')[0]?.afterMs ?? -1);
    assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) < 4_000 && new Set(waits).size > 10);
    for (const o of opened.slice(0, 15)) o.abort();
    await world.clock.advance(9_000);
    assert.deepEqual(
      opened.slice(15).map(reason),
      [undefined, undefined, undefined, undefined, undefined],
      'who stays may stay until the end',
    );
    assert.equal(world.presence.closed.length, 15);
    assert.ok(world.presence.closed.every(c => !c.signedOut));
    await world.clock.advance(2_000);
    await stopped;
    assert.deepEqual(new Set(opened.slice(15).map(reason)), new Set([SessionEndReason.SHUTDOWN]));
    await Promise.all(opened.map(o => o.ended));
    assert.equal(world.presence.leases.at(-1)?.release, true);
    assert.equal(world.presence.closed.length, 15, 'the lease stands for the rest');
  });

  it('does not wait for a presence service that does not answer: the lease runs out by itself', async () => {
    const world = createWorld();
    const pod = await world.pod({ drainMs: 4_000 });
    const opened = await pod.open('anna');
    world.presence.hold = () => new Promise(() => undefined);
    const stopped = pod.module.stop();
    await world.settle();
    opened.abort();
    await world.clock.advance(4_000);
    await world.clock.advance(RELEASE_MS);
    await stopped;
  });

  it('is done as soon as everybody has gone', async () => {
    const world = createWorld();
    const pod = await world.pod({ drainMs: 10_000 });
    const opened = await pod.open('anna');
    const stopped = pod.module.stop();
    await world.settle();
    opened.abort();
    await world.clock.advance(100);
    await stopped;
    await pod.module.stop();
  });

  it('sends away those who were opening, after Connected', async () => {
    const world = createWorld();
    const pod = await world.pod({ drainMs: 1_000 });
    const { flush } = world.bus;
    let release: () => void = () => undefined;
    world.bus.flush = () => new Promise<void>(resolve => (release = resolve)).then(() => flush());
    const opened = pod.connect('anna');
    await world.settle();
    const drained = pod.module.stop();
    await world.settle();
    assert.deepEqual(opened.stream.kinds, []);
    world.bus.flush = flush;
    release();
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected', 'reconnect']);
    await world.clock.advance(1_100);
    await drained;
    assert.equal(opened.stream.kinds.at(-1), 'sessionEnded');
  });

  it('leaves no timer behind', async () => {
    const world = createWorld();
    const before = world.clock.pending;
    const pod = await world.pod({ drainMs: 0 });
    const opened = await pod.open('anna', { watchPersonIds: ['bob'] });
    const stopped = pod.module.stop();
    await world.clock.advance(100);
    await stopped;
    await opened.ended;
    assert.equal(world.clock.pending, before);
  });
});
