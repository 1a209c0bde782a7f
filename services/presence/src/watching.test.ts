import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { subjects } from '@parley/bus';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import type { PresenceKeySchema, ResolvedPresence } from '@parley/contracts/presence/v1/internal';
import { ContactLevel, PreferredAvailability as P, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { connect, lease } from './testing/steps.ts';
import { createWorld, refusal, uuid, type World } from './testing/world.ts';

const viewOf = (resolved: ResolvedPresence | undefined) =>
  fromBinary(PresenceViewSchema, resolved?.view ?? new Uint8Array());

function announce(world: World, personId: string, version: bigint): void {
  const change = create(DirectoryChangedSchema, { version });
  world.bus.publish(subjects.directoryChanged(personId), toBinary(DirectoryChangedSchema, change));
}

describe('resolving', () => {
  it('answers in the order asked for, at the level of a colleague, with the bytes that were published', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    await connect(replica, 'bob', 'device-bob');
    await replica.as('bob').setPresence({ requestId: uuid(1), availability: P.BUSY });
    const presentityIds = ['bob', 'nobody', 'ann', 'bob'];
    for (const round of ['from the store', 'from memory']) {
      const { resolved } = await replica.internal.resolve({ watcherId: 'eve', presentityIds });
      assert.deepEqual(
        resolved.map(r => [r.presentityId, r.level, r.revision, r.aclRevision, viewOf(r).availability]),
        [
          ['bob', ContactLevel.COLLEAGUES, 2n, 0n, 6500],
          ['nobody', ContactLevel.COLLEAGUES, 0n, 0n, 18500],
          ['ann', ContactLevel.COLLEAGUES, 1n, 0n, 3500],
          ['bob', ContactLevel.COLLEAGUES, 2n, 0n, 6500],
        ],
        round,
      );
      assert.equal(viewOf(resolved[0]).revision, 2n);
      assert.equal(viewOf(resolved[1]).personId, 'nobody');
      await world.settle();
    }
  });

  it('does not tell somebody who does not exist from somebody who was never here', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    world.directory.unknown.add('nobody1');
    await replica.as('new-ann').getMyPresence({});
    await replica.as('new-ann').setPresence({ requestId: uuid(1), availability: P.AWAY });
    const { resolved } = await replica.internal.resolve({ watcherId: 'eve', presentityIds: ['nobody1', 'new-ann'] });
    const [a, b] = resolved.map(r => ({
      ...r,
      presentityId: '',
      view: Buffer.from(r.view).subarray(10).toString('hex'),
    }));
    assert.deepEqual(a, b);
  });

  it('reads a thousand people', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const people = Array.from({ length: 30 }, (_, i) => `person-${i}`);
    await Promise.all(people.map(id => connect(replica, id, 'device-of-his')));
    const presentityIds = Array.from({ length: 1000 }, (_, i) => `person-${i}`);
    const { resolved } = await replica.internal.resolve({ watcherId: 'eve', presentityIds });
    assert.equal(resolved.length, 1000);
    assert.equal(resolved.filter(r => viewOf(r).availability === 3500).length, 30);
  });

  it('shows nothing to somebody of another organisation', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    world.directory.external.add('eve');
    const { resolved } = await replica.internal.resolve({ watcherId: 'eve', presentityIds: ['ann'] });
    assert.equal(resolved[0]?.level, ContactLevel.BLOCKED);
    assert.equal(viewOf(resolved[0]).availability, 18500);
  });

  it('is refused without ids, with too many, and with wrong ones', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    const resolve = (presentityIds: string[], watcherId = 'eve') =>
      replica.internal.resolve({ watcherId, presentityIds });
    await assert.rejects(resolve([]), refusal('presence.required', 'presentity_ids'));
    await assert.rejects(resolve(Array(1001).fill('ann')), refusal('presence.too_many', 'presentity_ids'));
    await assert.rejects(resolve(['ann', 'a b']), refusal('presence.invalid_id', 'presentity_ids.1'));
    await assert.rejects(resolve(['ann'], ''), refusal('presence.invalid_id', 'watcher_id'));
    const { getPresence } = replica.as('eve');
    await assert.rejects(getPresence({ personIds: [] }), refusal('presence.required', 'person_ids'));
    await assert.rejects(getPresence({ personIds: Array(201).fill('a') }), refusal('presence.too_many', 'person_ids'));
  });
});

describe('comparing digests', () => {
  it('returns what the caller does not have, and only that', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    const people = Array.from({ length: 450 }, (_, i) => `person-${i}`);
    await Promise.all(people.slice(0, 440).map(id => connect(replica, id, 'device-of-his')));
    const keys = people.map((presentityId, i) => ({
      presentityId,
      level: ContactLevel.COLLEAGUES,
      revision: i < 440 && i % 100 !== 7 ? 1n : 0n,
      aclRevision: i === 3 ? 5n : 0n,
    }));
    const { changed } = await replica.internal.getDigests({ keys });
    assert.deepEqual(
      changed.map(c => [c.presentityId, c.revision, viewOf(c).availability]),
      [3, 7, 107, 207, 307, 407].map(i => [`person-${i}`, 1n, 3500]),
    );
    assert.deepEqual((await replica.internal.getDigests({ keys: [] })).changed, []);
  });

  it('is refused for too many or wrong keys', async () => {
    await using world = await createWorld();
    const { internal } = await world.replica();
    const key = { presentityId: 'a', level: ContactLevel.COLLEAGUES, revision: 0n, aclRevision: 0n };
    const digests = (...keys: MessageInitShape<typeof PresenceKeySchema>[]) => internal.getDigests({ keys });
    await assert.rejects(
      internal.getDigests({ keys: Array.from({ length: 20_001 }, () => key) }),
      refusal('presence.too_many', 'keys'),
    );
    const nobody = digests(key, { ...key, presentityId: '' });
    await assert.rejects(nobody, refusal('presence.invalid_id', 'keys.1.presentity_id'));
    const nowhere = digests({ ...key, level: ContactLevel.UNSPECIFIED });
    await assert.rejects(nowhere, refusal('presence.required', 'keys.0.level'));
    await assert.rejects(digests({ ...key, revision: -1n }), refusal('presence.out_of_range', 'keys.0.revision'));
  });
});

describe('somebody disabled whose token still stands', () => {
  const calls = (replica: Awaited<ReturnType<World['replica']>>) => [
    () => replica.as('eve').setPresence({ requestId: uuid(1), availability: P.BUSY }),
    () => replica.as('eve').resetPresence({ requestId: uuid(2) }),
    () => replica.as('eve').setNote({ requestId: uuid(3), text: 'still here' }),
    () => replica.as('eve').getMyPresence({}),
    () => connect(replica, 'eve', 'device-eve'),
  ];
  const work = async (replica: Awaited<ReturnType<World['replica']>>) => {
    for (const call of calls(replica)) await call();
  };
  const refused = async (replica: Awaited<ReturnType<World['replica']>>) => {
    for (const call of calls(replica)) await assert.rejects(call(), refusal('presence.account_disabled'));
  };

  it('changes nothing, opens no device and does not see himself once that is announced', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await work(replica);
    assert.deepEqual(world.directory.asked, [['eve']]);
    await work(replica);
    assert.deepEqual(world.directory.asked, [['eve']], 'nobody is asked on the warm path');
    world.directory.disabled.add('eve');
    world.directory.version = 2n;
    announce(world, 'eve', 2n);
    await world.settle();
    const before = world.published.length;
    await refused(replica);
    await refused(replica);
    assert.equal(world.published.length, before);
    assert.equal(await replica.count('parley_presence_accounts_refused_total'), 10);
  });

  it('is refused two minutes later should the announcement get lost, and nobody while the directory is silent', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await work(replica);
    world.directory.failure = new Error('down');
    await world.pass(119_000);
    await lease(replica);
    await work(replica);
    await world.pass(2000);
    await lease(replica);
    await work(replica);
    world.directory.failure = undefined;
    world.directory.disabled.add('eve');
    await refused(replica);
  });
});

describe('a watcher', () => {
  const look = (replica: Awaited<ReturnType<World['replica']>>, id = 'eve') =>
    replica.as(id).getPresence({ personIds: ['ann'] });

  it('who is disabled or unknown sees nothing', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    world.directory.disabled.add('eve');
    world.directory.unknown.add('mallory');
    for (const id of ['eve', 'mallory']) await assert.rejects(look(replica, id), refusal('presence.watcher_refused'));
    const resolve = replica.internal.resolve({ watcherId: 'eve', presentityIds: ['ann'] });
    await assert.rejects(resolve, refusal('presence.watcher_refused'));
  });

  it('is asked about once, until a change is announced or two minutes have passed', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ ownerSilenceMs: 120_000 });
    await Promise.all([look(replica), look(replica), look(replica, 'bob')]);
    await look(replica);
    assert.deepEqual(world.directory.asked, [['eve', 'bob']]);
    world.directory.disabled.add('eve');
    world.directory.version = 2n;
    announce(world, 'eve', 2n);
    await world.settle();
    await assert.rejects(look(replica), refusal('presence.watcher_refused'));
    await look(replica, 'bob');
    assert.deepEqual(world.directory.asked.slice(1), [['eve']]);
    await world.pass(120_000);
    await look(replica, 'bob');
    assert.deepEqual(world.directory.asked.slice(2), [['bob']]);
  });

  it('is asked about together with others, five hundred at a time', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await Promise.all(Array.from({ length: 1200 }, (_, i) => look(replica, `watcher-${i}`)));
    assert.ok(world.directory.asked.length <= 4, `${world.directory.asked.length} questions`);
    assert.ok(world.directory.asked.every(ids => ids.length <= 500));
    assert.equal(world.directory.asked.flat().length, 1200);
  });

  it('is asked about again when an answer is older than what was announced', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    world.directory.meanwhile = () => {
      world.directory.meanwhile = undefined;
      world.directory.disabled.add('eve');
      world.directory.version = 2n;
      announce(world, 'eve', 2n);
    };
    // The answer under way still says that he is enabled; the announcement overtakes it.
    const slow = look(replica);
    await assert.rejects(slow, refusal('presence.watcher_refused'));
    assert.deepEqual(world.directory.asked, [['eve'], ['eve']]);
  });

  it('sees nothing when the directory only gives answers older than it announced', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    announce(world, 'eve', 9n);
    await world.settle();
    await assert.rejects(look(replica), refusal('presence.directory_unavailable'));
    assert.equal(world.directory.asked.length, 3);
  });

  it('sees what he may for half a minute without the directory, and nothing afterwards', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await look(replica);
    world.directory.failure = new Error('down');
    await world.pass(30_000);
    await look(replica);
    await assert.rejects(look(replica, 'bob'), refusal('presence.directory_unavailable'));
    await world.pass(2000);
    await assert.rejects(look(replica), refusal('presence.directory_unavailable'));
    world.directory.failure = undefined;
    await look(replica);
  });

  it('is asked about again after a break of the bus or a change that concerns everybody', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await look(replica);
    world.bus.breakContinuity();
    await look(replica);
    world.bus.publish(subjects.directoryChanged('_global'), new Uint8Array());
    await world.settle();
    await look(replica);
    world.bus.publish(subjects.directoryChanged('bob'), new Uint8Array([255, 255]));
    await world.settle();
    await look(replica);
    assert.equal(world.directory.asked.length, 4);
    await look(replica);
    assert.equal(world.directory.asked.length, 4);
  });
});
