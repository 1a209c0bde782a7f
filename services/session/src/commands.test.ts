import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { MachineState } from '@parley/contracts/presence/v1/presence';
import {
  DisconnectRequestSchema,
  RenewRequestSchema,
  ReportActivityRequestSchema,
  SessionEndReason,
} from '@parley/contracts/session/v1/session';
import { defineErrors } from '@parley/rpc';
import { commandId, createWorld, type Opened, type Pod, watch } from './testing/harness.ts';

const errors = defineErrors({ 'rpc.unavailable': { kind: 'unavailable', message: 'away', remedy: '' } });

function results({ stream }: Opened): string[] {
  return stream.all('commandResult').map(r => [r.errorCode, r.field].filter(Boolean).join(' ') || 'done');
}

async function report(pod: Pod, opened: Opened, machineState: MachineState): Promise<void> {
  const request = { sessionId: opened.sessionId, commandId: commandId(), machineState };
  await pod.rpc.reportActivity(create(ReportActivityRequestSchema, request), opened.context);
}

describe('commands', () => {
  it('land on any pod and are answered on the stream', async () => {
    const world = createWorld();
    const [holder, other] = [await world.pod(), await world.pod()];
    const opened = await holder.open('anna');
    const traces: (string | undefined)[] = [];
    world.bus.subscribe('session.*.cmd', message => void traces.push(message.headers?.traceparent));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const id = await watch(
      other,
      { ...opened, sessionId: opened.sessionId, context: { ...opened.context, traceparent } },
      ['bob'],
    );
    await world.settle();
    assert.deepEqual(traces, [traceparent], 'the trace goes with them');
    assert.deepEqual(opened.stream.kinds, ['connected', 'commandResult', 'presence']);
    assert.equal(opened.stream.all('commandResult')[0]?.commandId, id);
    assert.deepEqual(results(opened), ['done']);
    world.presence.change('bob', 6500);
    await world.settle();
    assert.equal(opened.stream.presence.at(-1), 'bob 6500 colleagues');
  });

  it('stop and resume watching', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna', { watchPersonIds: ['bob', 'carol'] });
    await watch(pod, opened, [], ['bob', 'nobody']);
    await world.settle();
    opened.stream.clear();
    world.presence.change('bob', 6500);
    world.presence.change('carol', 6500);
    await world.settle();
    assert.deepEqual(opened.stream.presence, ['carol 6500 colleagues']);
    await watch(pod, opened, ['bob', 'carol']);
    await world.settle();
    assert.deepEqual(opened.stream.presence.slice(1), ['bob 6500 colleagues'], 'carol is watched already');
  });

  it('are carried out once, and a repeated one gets the same answer', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    const id = await watch(pod, opened, ['bob']);
    await watch(pod, opened, [], ['bob']);
    await watch(pod, opened, ['bob'], [], id);
    await world.settle();
    assert.deepEqual(results(opened), ['done', 'done', 'done']);
    opened.stream.clear();
    world.presence.change('bob', 6500);
    await world.settle();
    assert.deepEqual(opened.stream.presence, [], 'the repeated Watch was not carried out again');
  });

  it('refuse more than the watches allowed, and change nothing then', async () => {
    const world = createWorld();
    const pod = await world.pod({ maxWatches: 3 });
    const opened = await pod.open('anna', { watchPersonIds: ['p1', 'p2'] });
    await watch(pod, opened, ['p3', 'p4'], ['nobody']);
    await world.settle();
    assert.deepEqual(results(opened), ['session.too_many_watches add_person_ids']);
    await watch(pod, opened, ['p3', 'p4'], ['p1']);
    await world.settle();
    assert.deepEqual(results(opened)[1], 'done');
    opened.stream.clear();
    for (const id of ['p1', 'p2', 'p3', 'p4']) world.presence.change(id, 6500);
    await world.settle();
    assert.deepEqual(
      opened.stream.presence.map(p => p.slice(0, 2)),
      ['p2', 'p3', 'p4'],
    );
  });

  it('do nothing for a session of somebody else or of another sign-in', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna', { signInId: 's1' });
    for (const context of [world.person('mallory'), world.person('anna', { signInId: 's2' })]) {
      await watch(pod, { ...opened, sessionId: opened.sessionId, context }, ['bob']);
      const request = { sessionId: opened.sessionId, commandId: commandId() };
      await pod.rpc.disconnect(create(DisconnectRequestSchema, request), context);
    }
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected']);
    assert.match(await metrics(world, pod), /commands_total\{command="any",outcome="foreign"\} 4/);
  });

  it('renew the stream to the end of the token they were given with', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna', { expiresInMs: 60_000 });
    await world.clock.advance(50_000);
    const context = world.person('anna', { expiresInMs: 60_000 });
    const request = { sessionId: opened.sessionId, commandId: commandId() };
    await pod.rpc.renew(create(RenewRequestSchema, request), context);
    await world.clock.advance(59_000);
    assert.deepEqual(results(opened), ['done']);
    assert.equal(opened.stream.kinds.includes('sessionEnded'), false);
    await world.clock.advance(2_000);
    assert.equal(opened.stream.all('sessionEnded')[0]?.reason, SessionEndReason.TOKEN_EXPIRED);
    await opened.ended;
  });

  it('tell presence what the person does, one after the other', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    const waiting: (() => void)[] = [];
    world.presence.hold = call =>
      call === 'updateEndpoint' ? new Promise(resolve => waiting.push(resolve)) : undefined;
    await report(pod, opened, MachineState.INACTIVE);
    await report(pod, opened, MachineState.AWAY);
    await world.settle();
    assert.equal(waiting.length, 1);
    waiting[0]?.();
    await world.settle();
    assert.equal(world.presence.endpoints.get('anna/device-of-anna')?.machineState, MachineState.INACTIVE);
    waiting[1]?.();
    await world.settle();
    assert.equal(world.presence.endpoints.get('anna/device-of-anna')?.machineState, MachineState.AWAY);
    assert.deepEqual(results(opened), ['done', 'done']);
  });

  it('answer with the code of what failed', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    world.presence.fail = call => (call === 'updateEndpoint' ? errors('rpc.unavailable') : undefined);
    await report(pod, opened, MachineState.AWAY);
    await world.settle();
    assert.deepEqual(results(opened), ['rpc.unavailable']);
  });

  it('ask the client to connect again when presence no longer has its device', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    world.presence.endpoints.clear();
    await report(pod, opened, MachineState.ACTIVE);
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected', 'commandResult', 'reconnect']);
  });

  it('end the stream on purpose, without grace for the device', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    const request = { sessionId: opened.sessionId, commandId: commandId() };
    await pod.rpc.disconnect(create(DisconnectRequestSchema, request), opened.context);
    await opened.ended;
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected', 'commandResult', 'sessionEnded']);
    assert.equal(opened.stream.all('sessionEnded')[0]?.reason, SessionEndReason.DISCONNECTED);
    assert.deepEqual(world.presence.closed, [{ endpointId: 'device-of-anna', signedOut: true }]);
  });

  it('are refused with field and code when they are wrong', async () => {
    const world = createWorld();
    const pod = await world.pod();
    const opened = await pod.open('anna');
    const { context, sessionId } = opened;
    const refuses = (call: Promise<unknown>, code: string, field: string) => assert.rejects(call, { code, field });
    const many = Array.from({ length: 1_001 }, (_, i) => `p${i}`);
    await refuses(watch(pod, opened, ['a b']), 'session.invalid_id', 'add_person_ids[0]');
    await refuses(watch(pod, opened, [], ['bob', '>']), 'session.invalid_id', 'remove_person_ids[1]');
    await refuses(watch(pod, opened, many), 'session.too_many_ids', 'add_person_ids');
    await refuses(watch(pod, opened, [], many), 'session.too_many_ids', 'remove_person_ids');
    await refuses(watch(pod, opened, [], [], 'no-uuid'), 'session.invalid_id', 'command_id');
    await refuses(watch(pod, { ...opened, sessionId: 'a.b' }, []), 'session.invalid_id', 'session_id');
    const state = (machineState: MachineState) =>
      pod.rpc.reportActivity(
        create(ReportActivityRequestSchema, { sessionId, commandId: commandId(), machineState }),
        context,
      );
    await refuses(state(0), 'session.unknown_value', 'machine_state');
    await refuses(state(4 as MachineState), 'session.unknown_value', 'machine_state');
    await world.settle();
    assert.deepEqual(opened.stream.kinds, ['connected']);
  });

  it('are refused when one person sends too many, and other people are not', async () => {
    const world = createWorld();
    const pod = await world.pod({ commandsPerMinute: 3 });
    const [anna, bob] = [await pod.open('anna'), await pod.open('bob')];
    for (let i = 0; i < 3; i++) await watch(pod, anna, []);
    await assert.rejects(watch(pod, anna, []), (error: { code: string; kind: string; retryAfterMs: number }) => {
      assert.deepEqual([error.code, error.kind], ['session.too_many_commands', 'limit']);
      return error.retryAfterMs > 0 && error.retryAfterMs <= 20_000;
    });
    await watch(pod, bob, []);
    await world.clock.advance(20_000);
    await watch(pod, anna, []);
  });
});

/** Counters are handed over once a tick. */
async function metrics(world: ReturnType<typeof createWorld>, pod: Pod): Promise<string> {
  await world.clock.advance(1_000);
  return pod.metrics.render();
}
