import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { subjects } from '@parley/bus';
import { ImEventSchema } from '@parley/contracts/im/v1/im';
import { ContactLevel, DeviceType, MachineState } from '@parley/contracts/presence/v1/presence';
import { SessionEndReason } from '@parley/contracts/session/v1/session';
import { defineErrors, ParleyError } from '@parley/rpc';
import { createWorld, type OpenInit, type Pod } from './testing/harness.ts';

const errors = defineErrors({
  'presence.too_many_endpoints': { kind: 'limit', message: 'too many', remedy: '' },
  'presence.account_disabled': { kind: 'forbidden', message: 'not in force', remedy: '' },
  'rpc.unavailable': { kind: 'unavailable', message: 'away', remedy: '' },
});

async function refusal(pod: Pod, init: OpenInit): Promise<ParleyError> {
  const error = await pod.connect('anna', init).ended.then(
    () => assert.fail('was not refused'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ParleyError, String(error));
  return error;
}

describe('connecting', () => {
  it('sends Connected first, then what may be seen of the people watched', async () => {
    const world = createWorld();
    const pod = await world.pod({ serverVersion: '1.2.3', recommendedClientVersion: '1.2.0' });
    world.presence.person('carol').levels.set('anna', ContactLevel.WORKGROUP);
    const { stream, sessionId } = await pod.open('anna', {
      watchPersonIds: ['bob', 'carol', 'bob'],
      clientVersion: 'test/1.0.0',
      device: DeviceType.WEB,
      machineState: MachineState.AWAY,
    });
    assert.deepEqual(stream.kinds, ['connected', 'presence', 'presence']);
    assert.deepEqual([...stream.presence].sort(), ['bob 3500 colleagues', 'carol 3500 workgroup']);
    const connected = stream.all('connected')[0];
    assert.equal(connected?.serverVersion, '1.2.3');
    assert.equal(connected?.recommendedClientVersion, '1.2.0');
    assert.equal(connected?.heartbeatMs, 20_000);
    assert.equal(connected?.syncIntervalMs, 300_000);
    assert.equal(Number(connected?.expiresMs), world.clock.now() + 3_600_000);
    assert.equal(Number(connected?.serverTimeMs), world.clock.now());
    const held = world.presence.endpoints.get('anna/device-of-anna');
    assert.equal(held?.sessionId, sessionId);
    assert.equal(held?.connectionId, connected?.connectionId);
    assert.equal(held?.machineState, MachineState.AWAY);
    assert.equal(held?.pod, world.presence.leases[0]?.pod);
    assert.deepEqual(world.presence.resolves, [{ watcherId: 'anna', ids: ['bob', 'carol'] }]);
  });

  it('sends changes of presence and instant messages to every session of a person, and to nobody else', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const one = await pod.open('anna', { endpointId: 'desktop-1', watchPersonIds: ['bob'] });
    const two = await pod.open('anna', { endpointId: 'mobile-22' });
    const other = await pod.open('carl', { watchPersonIds: ['bob'] });
    const opened = [one, two, other];
    for (const { stream } of opened) stream.clear();
    world.presence.change('bob', 6500);
    const event = toBinary(ImEventSchema, create(ImEventSchema, { id: 'e1' }));
    world.bus.publish(subjects.im('anna'), event);
    await world.settle();
    assert.deepEqual(
      opened.map(o => o.stream.kinds),
      [['presence', 'im'], ['im'], ['presence']],
    );
    assert.equal(one.stream.all('im')[0]?.id, 'e1');
    assert.equal(one.stream.frames[1], two.stream.frames[0], 'an event is encoded once');
    assert.equal(one.stream.frames[0], other.stream.frames[0], 'a view is encoded once');
  });

  it('does not miss a change that happens while it resolves, nor send an older view afterwards', async () => {
    const world = createWorld();
    const pod = await world.pod();
    let release: () => void = () => undefined;
    world.presence.hold = call => (call === 'resolve' ? new Promise<void>(resolve => (release = resolve)) : undefined);
    const opened = pod.connect('anna', { watchPersonIds: ['bob'] });
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected']);
    world.presence.change('bob', 6500);
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected'], 'nothing is shown before it is resolved');
    release();
    await world.settle();
    assert.deepEqual(opened.stream.presence, ['bob 6500 colleagues']);
  });

  it('takes over the device: the session before ends and says so, on whatever pod it is', async () => {
    const world = createWorld();
    const [podA, podB] = [await world.pod(), await world.pod()];
    const before = await podA.open('anna', { signInId: 's1' });
    const after = await podB.open('anna', { signInId: 's2' });
    await before.ended;
    assert.equal(before.stream.all('sessionEnded')[0]?.reason, SessionEndReason.TAKEN_OVER);
    assert.equal(before.stream.kinds.at(-1), 'sessionEnded');
    assert.deepEqual(world.presence.closed, [], 'the device stays with the new session');
    assert.deepEqual(after.stream.kinds, ['connected']);
    assert.equal(world.presence.endpoints.get('anna/device-of-anna')?.sessionId, after.sessionId);
  });

  it('gives the device its grace when the client goes without a word', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna', { watchPersonIds: ['bob'] });
    opened.abort();
    await opened.ended;
    await world.settle();
    assert.deepEqual(world.presence.closed, [{ endpointId: 'device-of-anna', signedOut: false }]);
    assert.equal(opened.stream.kinds.includes('sessionEnded'), false);
    opened.stream.clear();
    world.presence.change('bob', 6500);
    await world.settle();
    assert.deepEqual(opened.stream.kinds, []);
  });

  it('gives the device back when the client goes while its stream opens', async () => {
    const world = createWorld();
    const pod = await world.pod();
    let release: () => void = () => undefined;
    world.presence.hold = call =>
      call === 'openEndpoint' ? new Promise<void>(resolve => (release = resolve)) : undefined;
    const opened = pod.connect('anna');
    await world.settle();
    opened.abort();
    release();
    await assert.rejects(opened.ended, { code: 'session.client_gone' });
    await world.settle();
    assert.deepEqual(world.presence.closed, [{ endpointId: 'device-of-anna', signedOut: false }]);
  });

  it('tells presence again that a device went until it was heard', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    world.presence.fail = call => (call === 'closeEndpoint' ? errors('rpc.unavailable') : undefined);
    opened.abort();
    await world.clock.advance(5_000);
    assert.deepEqual(world.presence.closed, []);
    world.presence.fail = () => undefined;
    await world.clock.advance(10_000);
    assert.equal(world.presence.closed.length, 1);
  });

  it('passes on a refusal of presence, and forgets the session', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.presence.fail = call => (call === 'openEndpoint' ? errors('presence.too_many_endpoints') : undefined);
    assert.equal((await refusal(pod, {})).code, 'presence.too_many_endpoints');
    assert.match(await pod.metrics.render(), /connects_total\{outcome="presence.too_many_endpoints"\} 1/);
  });

  it('refuses whoever was disabled while his token still stands', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.presence.fail = call => (call === 'openEndpoint' ? errors('presence.account_disabled') : undefined);
    const error = await refusal(pod, {});
    assert.deepEqual([error.code, error.kind], ['session.account_disabled', 'unauthenticated']);
    assert.match(await pod.metrics.render(), /connects_total\{outcome="session.account_disabled"\} 1/);
    await world.clock.advance(10_000);
    assert.deepEqual(world.presence.closed, [], 'there is nothing to close');
  });

  it('opens a stream though the bus is away; clients are told to synchronise when it is back', async () => {
    const world = createWorld();
    const pod = await world.pod();
    world.bus.disconnect();
    const opened = await pod.open('anna', { watchPersonIds: ['bob'] });
    assert.deepEqual(opened.stream.kinds, ['connected', 'presence']);
    world.bus.restore();
    await world.settle();
    assert.equal(opened.stream.kinds.at(-1), 'resync');
  });

  it('refuses a bad request, naming field and code', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const cases: [OpenInit, string, string][] = [
      [{ endpointId: 'short' }, 'session.invalid_id', 'endpoint_id'],
      [{ endpointId: 'a'.repeat(65) }, 'session.invalid_id', 'endpoint_id'],
      [{ endpointId: 'with space' }, 'session.invalid_id', 'endpoint_id'],
      [{ clientVersion: 'x' }, 'session.invalid_client_version', 'client_version'],
      [{ clientVersion: `${'x'.repeat(60)}/1.2.3` }, 'session.invalid_client_version', 'client_version'],
      [{ device: 9 as DeviceType }, 'session.unknown_value', 'device'],
      [{ machineState: 9 as MachineState }, 'session.unknown_value', 'machine_state'],
      [{ watchPersonIds: ['bob', 'b.b'] }, 'session.invalid_id', 'watch_person_ids[1]'],
      [{ watchPersonIds: [''] }, 'session.invalid_id', 'watch_person_ids[0]'],
      [
        { watchPersonIds: Array.from({ length: 1_001 }, (_, i) => `p${i}`) },
        'session.too_many_ids',
        'watch_person_ids',
      ],
    ];
    for (const [init, code, field] of cases) {
      const error = await refusal(pod, init);
      assert.deepEqual([error.code, error.field], [code, field]);
    }
    assert.equal(world.presence.endpoints.size, 0);
  });

  it('holds 1,000 watches', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const watchPersonIds = Array.from({ length: 1_000 }, (_, i) => `p${i}`);
    const opened = await pod.open('anna', { watchPersonIds });
    assert.equal(opened.stream.presence.length, 1_000);
  });

  it('refuses a client older than the minimum, and takes one that does not say', async () => {
    const world = createWorld();
    const pod = await world.pod({ minimumClientVersion: '1.10.0' });
    const error = await refusal(pod, { clientVersion: 'web/1.9.9' });
    assert.deepEqual(
      [error.code, error.field, error.kind],
      ['session.client_too_old', 'client_version', 'precondition'],
    );
    assert.deepEqual(error.params, { version: '1.9.9', minimum: '1.10.0' });
    assert.deepEqual((await pod.open('anna', { clientVersion: 'web/1.10.0' })).stream.kinds, ['connected']);
    assert.deepEqual((await pod.open('bob')).stream.kinds, ['connected']);
  });

  it('refuses a token that has ended', async () => {
    const world = createWorld();
    const pod = await world.pod();
    assert.equal((await refusal(pod, { expiresInMs: -1 })).code, 'session.token_expired');
  });

  it('refuses more streams than it may hold', async () => {
    const world = createWorld();
    const pod = await world.pod({ maxSessions: 2 });
    const first = await pod.open('p1');
    await pod.open('p2');
    const error = await refusal(pod, {});
    assert.deepEqual([error.code, error.kind], ['session.too_many_sessions', 'unavailable']);
    first.abort();
    await first.ended;
    assert.deepEqual((await pod.open('anna')).stream.kinds, ['connected']);
  });

  it('lets a storm of connects through at the rate configured, and tells the rest when to come back', async () => {
    const world = createWorld();
    const pod = await world.pod({ connectsPerSecond: 10, connectBurst: 5, connectRetrySpreadMs: 1_000 });
    const storm = Array.from({ length: 8 }, (_, i) => pod.connect(`p${i}`));
    await world.settle();
    assert.equal(storm.filter(o => o.sessionId).length, 5);
    const error = await refusal(pod, {});
    assert.deepEqual([error.code, error.kind], ['session.too_many_connects', 'unavailable']);
    assert.ok((error.retryAfterMs ?? 0) > 0 && (error.retryAfterMs ?? 0) <= 1_100, String(error.retryAfterMs));
    await world.clock.advance(100);
    assert.deepEqual((await pod.open('anna')).stream.kinds, ['connected']);
    assert.equal((await refusal(pod, {})).code, 'session.too_many_connects');
  });

  it('is not ready and refuses streams while it has no lease', async () => {
    const world = createWorld();
    world.presence.fail = () => errors('rpc.unavailable');
    const pod = await world.pod();
    assert.equal(pod.ready(), false);
    assert.equal((await refusal(pod, {})).code, 'session.not_ready');
    world.presence.fail = () => undefined;
    await world.clock.advance(1_000);
    assert.equal(pod.ready(), true);
    assert.deepEqual((await pod.open('anna')).stream.kinds, ['connected']);
  });
});
