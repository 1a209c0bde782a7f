import assert from 'node:assert/strict';
import type { SendMessageResponse } from '@parley/client';
import { until } from '@parley/testkit';
import type { Device, Scenario } from '../scenario.ts';

/** Conversations, and messages that each of its two people sends. */
const PAIRS = 12;
const EACH = 40;

export const kill: Scenario = {
  name: 'kill -9 in the middle of traffic loses nothing that was acknowledged and delivers and archives nothing twice',
  config: { im: { keyVisibleMs: 2_000, reconcileMarginMs: 500 }, presence: { graceMs: 15_000 } },
  async run(world) {
    await world.archiving(undefined, { archiveInternal: true, archiveExternal: true, critical: false });
    const pairs = await Promise.all(
      Array.from({ length: PAIRS }, async (_, i) => {
        const [a, b] = await Promise.all([world.person(`Left ${i}`), world.person(`Right ${i}`)]);
        return Promise.all([world.device(a), world.device(b)]);
      }),
    );
    const acknowledged = new Map<string, SendMessageResponse>();
    const senders: Promise<void>[] = [];
    let done = 0;
    const talkTo = async (from: Device, to: Device) => {
      for (let i = 0; i < EACH; i++) {
        const { acknowledged: ack } = from.client.send(to.person.id, `${from.person.displayName} says ${i}`);
        const result = await ack; // the SDK repeats it with the same id until it is durable
        acknowledged.set(result.eventId, result);
        done++;
      }
    };
    for (const [a, b] of pairs) senders.push(talkTo(a, b), talkTo(b, a));
    const traffic = Promise.all(senders);
    let over = false;
    void traffic.finally(() => (over = true)).catch(() => undefined);

    // every process in turn, at moments that depend on the traffic only
    const total = PAIRS * EACH * 2;
    const victims =
      world.parley.topology === 'standalone'
        ? Array.from({ length: 8 }, () => world.parley.processes).flat()
        : SERVICES.flatMap(s => world.parley.replicasOf(s).slice(0, 1));
    for (const [i, victim] of victims.entries()) {
      const mark = Math.floor((total * (i + 0.5)) / (victims.length + 1));
      await until(`${mark} messages to be acknowledged before ${victim.name} is killed`, () => done >= mark || over, {
        timeoutMs: 120_000,
      });
      await new Promise(resolve => setTimeout(resolve, Math.random() * 20)); // anywhere between two acknowledgements
      await victim.kill();
      await victim.start();
    }
    await traffic;
    assert.equal(acknowledged.size, total);

    // delivered: everybody has all of his conversation, once
    for (const [a, b] of pairs) {
      const expected = [...acknowledged.values()]
        .filter(r => r.eventId.startsWith(a.person.id) || r.eventId.startsWith(b.person.id))
        .map(r => r.eventId);
      for (const device of [a, b]) {
        await until(
          `${device.person.displayName} to have everything`,
          async () => {
            await device.client.sync();
            return device.events.length >= expected.length;
          },
          { timeoutMs: 60_000, everyMs: 250 },
        );
        const got = device.events.map(e => e.id);
        assert.deepEqual([...got].sort(), [...expected].sort(), 'zero lost, zero twice');
        // one person's messages stand in the order he wrote them
        const order = device.texts().filter(text => text.startsWith(a.person.displayName));
        assert.deepEqual(
          order,
          Array.from({ length: EACH }, (_, n) => `${a.person.displayName} says ${n}`),
        );
      }
    }

    // archived: every acknowledged message has exactly one kept record
    await until(
      'the archive to hold everything',
      async () => {
        const { result, findings, records } = await world.verify();
        assert.deepEqual(findings, []);
        assert.equal(result.intact, true);
        const kept = new Map<string, number>();
        for (const r of records) if (r.state === 1) kept.set(r.recordId, (kept.get(r.recordId) ?? 0) + 1);
        for (const [id, count] of kept) assert.equal(count, 1, `${id} is kept ${count} times`);
        return [...acknowledged.keys()].every(id => kept.has(id));
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
  },
};

const SERVICES = ['im', 'session', 'presence', 'archiving', 'directory'];
