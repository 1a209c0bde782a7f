import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ContactLevel, MachineState, PreferredAvailability as P } from '@parley/contracts/presence/v1/presence';
import type { Collection, CollectionSpec, Doc, Store } from '@parley/store';
import { connect, lease } from './testing/steps.ts';
import { createWorld, refusal, uuid, type World } from './testing/world.ts';

/** Each person's revisions, in the order in which they were published. */
function revisions(world: World): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { personId, revision } of world.published) found.set(personId, [...(found.get(personId) ?? []), revision]);
  return found;
}

/** What a scan finds arrives late, so that two sweeps read the same before either writes. */
function slowScans(store: Store): Store {
  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const inner = store.collection(spec);
      return {
        ...inner,
        async scan(index, query) {
          const page = await inner.scan(index, query);
          for (let i = 0; i < 12; i++) await turn();
          return page;
        },
      };
    },
    migrate: specs => store.migrate(specs),
    now: () => store.now(),
    connected: true,
    close: () => store.close(),
  };
}

describe('two replicas on one store', () => {
  it('publish every change that time makes exactly once', async () => {
    await using world = await createWorld(slowScans);
    const one = await world.replica();
    const two = await world.replica();
    await lease(one);
    const people = Array.from({ length: 40 }, (_, i) => `person-${i}`);
    for (const id of people) await connect(one, id, 'device-of-his');
    await world.pass(200_000);
    await lease(two);
    await world.pass(250_000);
    await lease(two);
    await world.pass(160_000);
    for (const id of people) assert.deepEqual(world.shown(id), [3500, 5000, 15500]);
    for (const own of revisions(world).values()) assert.deepEqual(own, [1, 2, 3]);
    const changed = (r: typeof one) => r.count('parley_presence_publishes_total', 'cause="time"');
    assert.equal((await changed(one)) + (await changed(two)), 80);
    const lost = (r: typeof one) => r.count('parley_presence_cas_conflicts_total', 'cause="time"');
    assert.ok((await lost(one)) + (await lost(two)) > 0, 'they did meet');
  });

  it('keep every one of many changes made at once, under revisions that only grow', async () => {
    await using world = await createWorld();
    const one = await world.replica();
    const two = await world.replica();
    await lease(one);
    await connect(one, 'ann', 'device-ann');
    const states = [P.BUSY, P.AWAY, P.BE_RIGHT_BACK];
    const changes = Array.from({ length: 6 }, (_, i) => {
      const availability = states[i % states.length] as P;
      return (i % 2 ? one : two).as('ann').setPresence({ requestId: uuid(i), availability });
    });
    for (let i = 0; i < 20; i++) {
      await world.clock.advance(100);
      await world.settle();
    }
    await Promise.all(changes);
    const own = revisions(world).get('ann') ?? [];
    assert.equal(new Set(own).size, own.length, 'no revision twice');
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    );
    const { presence } = await two.as('ann').getMyPresence({});
    assert.equal(Number(presence?.view?.revision), own.at(-1));
    assert.equal(presence?.view?.availability, world.shown('ann').at(-1));
  });

  it('show each other’s changes at once, though each keeps views in memory', async () => {
    await using world = await createWorld();
    const one = await world.replica();
    const two = await world.replica();
    await lease(one);
    const device = await connect(one, 'ann', 'device-ann');
    const seen = async () => (await two.as('bob').getPresence({ personIds: ['ann'] })).views[0]?.availability;
    assert.equal(await seen(), 3500);
    await device.report(MachineState.AWAY);
    assert.equal(await seen(), 15500);
    await one.as('ann').setPresence({ requestId: uuid(1), availability: P.BUSY });
    assert.equal(await seen(), 7500);
  });

  it('find a change whose announcement was lost when its view is half a minute old, or compared', async () => {
    await using world = await createWorld();
    const one = await world.replica();
    const two = await world.replica();
    await lease(one);
    const device = await connect(one, 'ann', 'device-ann');
    const seen = async () => (await two.as('bob').getPresence({ personIds: ['ann'] })).views[0]?.availability;
    assert.equal(await seen(), 3500);
    world.bus.faults.drop = () => true;
    await device.report(MachineState.AWAY);
    await world.settle();
    delete world.bus.faults.drop;
    assert.equal(await seen(), 3500, 'nobody told this replica');
    const keys = [{ presentityId: 'ann', level: ContactLevel.COLLEAGUES, revision: 1n, aclRevision: 0n }];
    assert.equal((await two.internal.getDigests({ keys })).changed[0]?.revision, 2n);
    assert.equal(await seen(), 15500, 'the comparison put it right');
    world.bus.faults.drop = () => true;
    await device.report(MachineState.ACTIVE);
    await world.settle();
    delete world.bus.faults.drop;
    assert.equal(await seen(), 15500);
    await world.pass(30_000);
    assert.equal(await seen(), 3500);
  });

  it('give up on a change that always comes too late, saying so', async () => {
    await using world = await createWorld(store => ({
      ...store,
      collection: spec => ({
        ...store.collection(spec),
        replace: async () => ({ replaced: false, reason: 'revision' }),
      }),
      migrate: specs => store.migrate(specs),
      now: () => store.now(),
    }));
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    const set = replica.as('ann').setPresence({ requestId: uuid(1), availability: P.BUSY });
    const refused = assert.rejects(set, refusal('presence.contention'));
    for (let i = 0; i < 20; i++) {
      await world.clock.advance(400);
      await world.settle();
    }
    await refused;
    assert.equal(await replica.count('parley_presence_cas_conflicts_total', 'cause="choice"'), 12);
    assert.deepEqual(world.shown('ann'), [3500]);
  });

  it('sweep everybody who is due, batch after batch', async () => {
    await using world = await createWorld();
    const replica = await world.replica({ sweepBatch: 5 });
    await lease(replica);
    const people = Array.from({ length: 23 }, (_, i) => `person-${i}`);
    for (const id of people) await (await connect(replica, id, 'device-of-his')).close();
    await world.pass(61_000);
    for (const id of people) assert.deepEqual(world.shown(id), [3500, 18500]);
  });

  it('trust nothing in memory while the bus is broken', async () => {
    await using world = await createWorld();
    const one = await world.replica();
    const two = await world.replica();
    await lease(one);
    const device = await connect(one, 'ann', 'device-ann');
    const seen = async () => (await two.as('bob').getPresence({ personIds: ['ann'] })).views[0]?.availability;
    assert.equal(await seen(), 3500);
    world.bus.disconnect();
    await device.report(MachineState.AWAY);
    assert.equal(await seen(), 15500);
    await device.report(MachineState.ACTIVE);
    assert.equal(await seen(), 3500);
    world.bus.restore();
    assert.equal(await seen(), 3500);
  });
});

describe('a failing store', () => {
  /** Fails what is asked for while `broken` is set. */
  function breakable() {
    const state: { broken?: 'not-applied' | 'unknown'; writesHappen?: boolean } = {};
    const fail = () => Object.assign(new Error('store down'), { outcome: state.broken });
    const wrap = (store: Store): Store => ({
      collection<T extends Doc>(spec: Parameters<Store['collection']>[0]): Collection<T> {
        const inner = store.collection(spec) as unknown as Record<string, (...a: unknown[]) => Promise<unknown>>;
        return new Proxy(inner, {
          get:
            (target, name: string) =>
            async (...args: unknown[]) => {
              const write = name === 'insert' || name === 'replace';
              if (state.broken && write && state.writesHappen) await target[name]?.(...args);
              if (state.broken && (write || !state.writesHappen)) throw fail();
              return target[name]?.(...args);
            },
        }) as unknown as Collection<T>;
      },
      migrate: specs => store.migrate(specs),
      now: () => store.now(),
      connected: true,
      close: () => store.close(),
    });
    return { state, wrap };
  }

  it('is told from a refusal, and makes the service unready until it works again', async () => {
    const { state, wrap } = breakable();
    await using world = await createWorld(wrap);
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    assert.equal(replica.health.ready().ok, true);
    state.broken = 'not-applied';
    const set = () => replica.as('ann').setPresence({ requestId: uuid(1), availability: P.BUSY });
    await assert.rejects(set(), refusal('presence.store_unavailable'));
    await world.pass(2000);
    assert.equal(replica.health.ready().ok, false);
    delete state.broken;
    await world.pass(2000);
    assert.equal(replica.health.ready().ok, true);
    await set();
    await world.settle();
    assert.deepEqual(world.shown('ann'), [3500, 6500]);
  });

  it('that does not say whether it wrote is asked again with the same request, and comparing repairs the rest', async () => {
    const { state, wrap } = breakable();
    await using world = await createWorld(wrap);
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'ann', 'device-ann');
    Object.assign(state, { broken: 'unknown', writesHappen: true });
    const set = () => replica.as('ann').setPresence({ requestId: uuid(1), availability: P.BUSY });
    await assert.rejects(set(), refusal('presence.outcome_unknown'));
    delete state.broken;
    const { presence } = await set();
    assert.equal(presence?.view?.availability, 6500);
    const keys = [{ presentityId: 'ann', level: ContactLevel.COLLEAGUES, revision: 1n, aclRevision: 0n }];
    assert.equal((await replica.internal.getDigests({ keys })).changed[0]?.revision, 2n);
  });
});
