import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceType, MachineState, PreferredAvailability as P } from '@parley/contracts/presence/v1/presence';
import { connect, lease, POD } from './testing/steps.ts';
import { createWorld, refusal, uuid } from './testing/world.ts';

describe('devices', () => {
  it('let the most active one decide, and tell only what changes', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const computer = await connect(replica, 'ann', 'device-computer', { machineState: MachineState.INACTIVE });
    const phone = await connect(replica, 'ann', 'device-phone', { device: DeviceType.MOBILE });
    await computer.report(MachineState.AWAY);
    await phone.report(MachineState.INACTIVE);
    await world.settle();
    assert.deepEqual(
      world.published.map(p => [p.view.availability, p.view.device, p.revision]),
      [
        [5000, DeviceType.COMPUTER, 1],
        [3500, DeviceType.MOBILE, 2],
        [5000, DeviceType.MOBILE, 3],
      ],
    );
  });

  it('become inactive and away when they say nothing, by time alone', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    await world.pass(200_000);
    await lease(replica);
    await world.pass(99_900);
    assert.deepEqual(world.shown('ann'), [3500]);
    await world.pass(1100);
    assert.deepEqual(world.shown('ann'), [3500, 5000]);
    await lease(replica);
    await world.pass(299_900);
    await lease(replica);
    await world.pass(1100);
    assert.deepEqual(world.shown('ann'), [3500, 5000, 15500]);
  });

  it('stay active as long as they report it', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const device = await connect(replica, 'ann', 'device-ann');
    for (let i = 0; i < 6; i++) {
      await lease(replica);
      await world.pass(240_000);
      assert.equal(await device.report(MachineState.ACTIVE), true);
    }
    assert.deepEqual(world.shown('ann'), [3500]);
  });

  it('do not flap when a connection is cut and comes back within the grace', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const first = await connect(replica, 'ann', 'device-ann');
    assert.equal(await first.close(), true);
    await world.pass(59_000);
    const second = await connect(replica, 'ann', 'device-ann');
    assert.equal(second.replacedSessionId, '');
    await world.pass(90_000);
    assert.deepEqual(world.shown('ann'), [3500]);
    assert.equal(await first.close(true), false, 'the first connection holds nothing any longer');
    assert.equal(await first.report(MachineState.AWAY), false);
    assert.deepEqual(world.shown('ann'), [3500]);
  });

  it('are gone when the grace is over, and at once when their person signs out', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const device = await connect(replica, 'ann', 'device-ann');
    await device.close();
    assert.deepEqual((await replica.as('ann').getMyPresence({})).presence?.endpoints, []);
    await world.pass(59_400);
    assert.deepEqual(world.shown('ann'), [3500]);
    await world.pass(1100);
    assert.deepEqual(world.shown('ann'), [3500, 18500]);
    const again = await connect(replica, 'ann', 'device-ann');
    assert.equal(await again.close(true), true);
    assert.equal(await again.close(true), false);
    await world.settle();
    assert.deepEqual(world.shown('ann'), [3500, 18500, 3500, 18500]);
    assert.equal(await replica.count('parley_presence_endpoints_closed_total', 'grace_over'), 1);
  });

  it('are taken over by their next connection, whose session is named', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await lease(replica, 'session-2');
    const first = await connect(replica, 'ann', 'device-ann', { sessionId: 'first' });
    const second = await connect(replica, 'ann', 'device-ann', { sessionId: 'second', pod: 'session-2' });
    assert.equal(second.replacedSessionId, 'first');
    assert.equal(await first.close(), false);
    await world.pass(120_000);
    assert.deepEqual(world.shown('ann'), [3500]);
  });

  it('may connect again with the same request', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const same = { connectionId: 'c-1', sessionId: 's-1' };
    await connect(replica, 'ann', 'device-ann', same);
    assert.equal((await connect(replica, 'ann', 'device-ann', same)).replacedSessionId, '');
    assert.equal((await replica.as('ann').getMyPresence({})).presence?.endpoints.length, 1);
  });

  it('are at most eight, or as many as configured; those in their grace give way', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ maxEndpoints: 2 });
    await lease(replica);
    const first = await connect(replica, 'ann', 'device-1');
    await connect(replica, 'ann', 'device-2');
    const third = () => connect(replica, 'ann', 'device-3');
    await assert.rejects(third(), refusal('presence.too_many_endpoints', 'endpoint_id'));
    await first.close();
    await third();
    const { presence } = await replica.as('ann').getMyPresence({});
    assert.deepEqual(
      presence?.endpoints.map(e => e.endpointId),
      ['device-2', 'device-3'],
    );
    const byDefault = await world.replica();
    for (let i = 1; i <= 8; i++) await connect(byDefault, 'bob', `device-${i}`);
    await assert.rejects(connect(byDefault, 'bob', 'device-9'), refusal('presence.too_many_endpoints'));
  });

  it('are refused for a pod without a lease', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await assert.rejects(connect(replica, 'ann', 'device-ann'), refusal('presence.no_lease', 'pod'));
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    await world.pass(300_001);
    await assert.rejects(connect(replica, 'bob', 'device-bob'), refusal('presence.no_lease', 'pod'));
  });

  it('are refused when a field is wrong', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const refused = (over: Parameters<typeof connect>[3], code: string, field: string) =>
      assert.rejects(connect(replica, 'ann', 'device-ann', over), refusal(code, field));
    await refused({ personId: '' }, 'presence.invalid_id', 'person_id');
    await refused({ personId: 'a.b' }, 'presence.invalid_id', 'person_id');
    await refused({ endpointId: 'short' }, 'presence.invalid_id', 'endpoint_id');
    await refused({ endpointId: 'x'.repeat(65) }, 'presence.invalid_id', 'endpoint_id');
    await refused({ connectionId: '*' }, 'presence.invalid_id', 'connection_id');
    await refused({ sessionId: '' }, 'presence.invalid_id', 'session_id');
    await refused({ pod: 'a b' }, 'presence.invalid_id', 'pod');
    await refused({ device: 77 as DeviceType }, 'presence.unknown_value', 'device');
    await refused({ machineState: 77 as MachineState }, 'presence.unknown_value', 'machine_state');
    const key = { personId: 'ann', endpointId: 'device-ann', connectionId: 'c' };
    await assert.rejects(replica.internal.updateEndpoint(key), refusal('presence.required', 'machine_state'));
    const close = replica.internal.closeEndpoint({ ...key, endpointId: 'no' });
    await assert.rejects(close, refusal('presence.invalid_id', 'endpoint_id'));
    assert.deepEqual(world.published, []);
  });

  it('are not opened for a caller who has given up', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const giveUp = new AbortController();
    const ids = { personId: 'ann', endpointId: 'device-ann', connectionId: 'c', sessionId: 's', pod: POD };
    const opening = replica.internal.openEndpoint(ids, { signal: giveUp.signal });
    giveUp.abort(new Error('gone'));
    await assert.rejects(opening);
    await world.settle();
    assert.deepEqual((await replica.as('ann').getMyPresence({})).presence?.endpoints, []);
  });

  it('of an unspecified kind are computers in use', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const unspecified = { device: DeviceType.UNSPECIFIED, machineState: MachineState.UNSPECIFIED };
    await connect(replica, 'ann', 'device-ann', unspecified);
    await world.settle();
    const [published] = world.published;
    assert.deepEqual([published?.view.availability, published?.view.device], [3500, DeviceType.COMPUTER]);
  });

  it('only tell whether a busy person is there', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const device = await connect(replica, 'ann', 'device-ann');
    await replica.as('ann').setPresence({ requestId: uuid(1), availability: P.BUSY });
    await device.report(MachineState.INACTIVE);
    await device.report(MachineState.AWAY);
    await device.report(MachineState.ACTIVE);
    await world.settle();
    assert.deepEqual(world.shown('ann'), [3500, 6500, 7500, 6500]);
  });
});

describe('the lease of a session pod', () => {
  it('costs its endpoints their place a grace after it has lapsed', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ leaseSettleMs: 0 });
    await lease(replica, POD, 10_000);
    await lease(replica, 'session-2', 300_000);
    await connect(replica, 'ann', 'device-ann');
    await connect(replica, 'bob', 'device-bob');
    await connect(replica, 'bob', 'device-bob2', { pod: 'session-2', device: DeviceType.MOBILE });
    await world.pass(69_400);
    assert.deepEqual([world.shown('ann'), world.shown('bob')], [[3500], [3500]]);
    await world.pass(1600);
    assert.deepEqual(
      [world.shown('ann'), world.shown('bob')],
      [
        [3500, 18500],
        [3500, 3500],
      ],
    );
    assert.equal(world.published.findLast(p => p.personId === 'bob')?.view.mobileOnly, true);
  });

  it('starts the grace at once when it is released', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ leaseSettleMs: 0 });
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    await replica.internal.renewLease({ pod: POD, release: true });
    await world.pass(30_000);
    assert.deepEqual(world.shown('ann'), [3500]);
    await lease(replica, 'session-2');
    await connect(replica, 'ann', 'device-ann', { pod: 'session-2' });
    await world.pass(120_000);
    assert.deepEqual(world.shown('ann'), [3500], 'a restart shows to nobody');
  });

  it('gives the endpoints back when the pod renews it in time', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ leaseSettleMs: 0 });
    await lease(replica, POD, 10_000);
    await connect(replica, 'ann', 'device-ann');
    const closed = await connect(replica, 'bob', 'device-bob');
    await world.pass(40_000);
    await closed.close();
    await lease(replica);
    await world.pass(60_000);
    assert.deepEqual(world.shown('ann'), [3500]);
    assert.deepEqual(world.shown('bob'), [3500, 18500]);
    assert.equal(await replica.count('parley_presence_leases_total', 'regained'), 1);
  });

  it('is looked at again for endpoints opened at the last moment, and forgotten', async () => {
    await using world = await createWorld();
    const quick = { leaseSettleMs: 0, leaseRecheckMs: 5000, leaseKeepEndedMs: 20_000 };
    const one = await world.replica(quick);
    const two = await world.replica(quick);
    await lease(one);
    await connect(one, 'ann', 'device-ann');
    await two.internal.renewLease({ pod: POD, release: true });
    await world.pass(2000);
    await connect(one, 'bob', 'device-bob');
    await world.pass(70_000);
    assert.deepEqual(
      [world.shown('ann'), world.shown('bob')],
      [
        [3500, 18500],
        [3500, 18500],
      ],
    );
    assert.equal(await world.store.collection({ name: 'presence_leases', indexes: {} }).get(POD), undefined);
  });

  it('is not taken for lapsed right after a start, so that pods can renew first', async () => {
    await using world = await createWorld();
    const first = await world.replica();
    await lease(first, POD, 10_000);
    await connect(first, 'ann', 'device-ann');
    await first.module.stop();
    await world.pass(200_000);
    const second = await world.replica();
    await world.pass(5000);
    await lease(second);
    await world.pass(60_000);
    assert.deepEqual(world.shown('ann'), [3500]);
  });

  it('lasts one second to five minutes', async () => {
    await using world = await createWorld();
    const { internal } = await world.replica();
    const { expiresMs } = await internal.renewLease({ pod: POD, durationMs: 1000 });
    assert.equal(expiresMs, BigInt(world.clock.now() + 1000));
    for (const durationMs of [0, 999, 300_001])
      await assert.rejects(
        internal.renewLease({ pod: POD, durationMs }),
        refusal('presence.out_of_range', 'duration_ms'),
      );
    await assert.rejects(internal.renewLease({ pod: '', durationMs: 1000 }), refusal('presence.invalid_id', 'pod'));
  });
});
