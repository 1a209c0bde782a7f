import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceType, MachineState, PreferredAvailability as P } from '@parley/contracts/presence/v1/presence';
import { connect, lease } from './testing/steps.ts';
import { createWorld, refusal, uuid } from './testing/world.ts';

const DAY = 86_400_000;

describe('a state chosen by hand', () => {
  it('is published once, comes back in one’s own presence, and ends by itself', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ inactiveAfterMs: 80_000_000, awayAfterMs: 86_400_000 });
    await lease(replica);
    await connect(replica, 'ann', 'device-ann', { device: DeviceType.MOBILE });
    const { presence } = await replica
      .as('ann')
      .setPresence({ requestId: uuid(1), availability: P.BUSY, expiresMs: 0n });
    assert.equal(presence?.view?.availability, 6500);
    assert.equal(presence?.view?.revision, 2n);
    assert.equal(presence?.view?.mobileOnly, true);
    assert.equal(presence?.preferred, P.BUSY);
    assert.equal(presence?.preferredExpiresMs, BigInt(world.clock.now() + DAY));
    assert.deepEqual(
      presence?.endpoints.map(e => [e.endpointId, e.device, e.machineState, Number(e.connectedMs)]),
      [['device-ann', DeviceType.MOBILE, MachineState.ACTIVE, world.clock.now()]],
    );
    await world.settle();
    assert.deepEqual(world.shown('ann'), [3500, 6500]);
  });

  it('ends by time alone, within a second', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    const expiresMs = BigInt(world.clock.now() + 60_000);
    await replica.as('ann').setPresence({ requestId: uuid(1), availability: P.DO_NOT_DISTURB, expiresMs });
    await world.pass(59_900);
    assert.deepEqual(world.shown('ann'), [3500, 9500]);
    await world.pass(1100);
    assert.deepEqual(world.shown('ann'), [3500, 9500, 3500]);
    const { presence } = await replica.as('ann').getMyPresence({});
    assert.equal(presence?.preferred, P.UNSPECIFIED);
    assert.equal(presence?.preferredExpiresMs, 0n);
  });

  it('is reset to what the devices say', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann', { machineState: MachineState.AWAY });
    await replica.as('ann').setPresence({ requestId: uuid(1), availability: P.BE_RIGHT_BACK });
    const { presence } = await replica.as('ann').resetPresence({ requestId: uuid(2) });
    assert.equal(presence?.view?.availability, 15500);
    await world.settle();
    assert.deepEqual(world.shown('ann'), [15500, 12500, 15500]);
  });

  it('changes and publishes nothing when the request is repeated', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    const ann = replica.as('ann');
    await ann.setPresence({ requestId: uuid(1), availability: P.BUSY });
    await ann.setPresence({ requestId: uuid(2), availability: P.AWAY });
    const again = await ann.setPresence({ requestId: uuid(1).toUpperCase(), availability: P.BUSY });
    assert.equal(again.presence?.preferred, P.AWAY);
    await world.settle();
    assert.deepEqual(world.shown('ann'), [3500, 6500, 15500]);
    assert.equal(await replica.count('parley_presence_choices_total', 'replayed="yes"'), 1);
  });

  it('shows to nobody while its person is offline, and when he appears so', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ appearOffline: true });
    const ann = replica.as('ann');
    await ann.setPresence({ requestId: uuid(1), availability: P.BUSY });
    await world.settle();
    assert.deepEqual(world.shown('ann'), []);
    await lease(replica);
    await ann.setPresence({ requestId: uuid(2), availability: P.APPEAR_OFFLINE });
    await connect(replica, 'ann', 'device-ann');
    await world.settle();
    assert.deepEqual(world.shown('ann'), []);
    const { presence } = await ann.getMyPresence({});
    assert.equal(presence?.preferred, P.APPEAR_OFFLINE);
    assert.equal(presence?.endpoints.length, 1);
  });

  it('is refused with the field at fault, and nothing is stored', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    const ann = replica.as('ann');
    const now = world.clock.now();
    const refused = async (init: Parameters<typeof ann.setPresence>[0], code: string, field: string) =>
      assert.rejects(ann.setPresence({ requestId: uuid(1), availability: P.BUSY, ...init }), refusal(code, field));
    await refused({ requestId: 'x' }, 'presence.invalid_id', 'request_id');
    await refused({ requestId: '' }, 'presence.invalid_id', 'request_id');
    await refused({ availability: P.UNSPECIFIED }, 'presence.required', 'availability');
    await refused({ availability: 99 as P }, 'presence.unknown_value', 'availability');
    await refused({ availability: P.APPEAR_OFFLINE }, 'presence.appear_offline_forbidden', 'availability');
    await refused({ expiresMs: -1n }, 'presence.out_of_range', 'expires_ms');
    await refused({ expiresMs: 2n ** 60n }, 'presence.out_of_range', 'expires_ms');
    await refused({ expiresMs: BigInt(now) }, 'presence.expires_in_past', 'expires_ms');
    await refused({ expiresMs: BigInt(now + 366 * DAY + 1) }, 'presence.expires_too_far', 'expires_ms');
    assert.equal((await ann.getMyPresence({})).presence?.preferred, P.UNSPECIFIED);
    assert.equal(await world.store.collection({ name: 'presence_people', indexes: {} }).get('ann'), undefined);
  });
});

describe('a note', () => {
  it('is published with the time it was set, and removed by an empty one', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    const ann = replica.as('ann');
    const { presence } = await ann.setNote({ requestId: uuid(1), text: '在家工作 🏠' });
    assert.deepEqual([presence?.view?.note, presence?.view?.noteSetMs], ['在家工作 🏠', BigInt(world.clock.now())]);
    await world.pass(10);
    await ann.setNote({ requestId: uuid(1), text: 'again' });
    await ann.setNote({ requestId: uuid(2), text: '' });
    await world.settle();
    assert.deepEqual(
      world.published.map(p => [p.view.note, p.view.noteSetMs > 0n, p.revision]),
      [
        ['在家工作 🏠', true, 1],
        ['', false, 2],
      ],
    );
  });

  it('is refused when it is too long or not one line of text', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ noteCharacters: 10 });
    const ann = replica.as('ann');
    const long = ann.setNote({ requestId: uuid(1), text: 'x'.repeat(11) });
    await assert.rejects(long, refusal('presence.note_too_long', 'text'));
    const lines = ann.setNote({ requestId: uuid(1), text: 'a\nb' });
    await assert.rejects(lines, refusal('presence.note_characters', 'text'));
    await assert.rejects(ann.setNote({ requestId: 'no', text: 'a' }), refusal('presence.invalid_id', 'request_id'));
    assert.equal((await ann.getMyPresence({})).presence?.view?.note, '');
  });
});
