import assert from 'node:assert/strict';
import { PreferredAvailability } from '@parley/client';
import { receives, type Scenario, sees } from '../scenario.ts';

const LINES = [
  'Good morning, is ward 3 ready?',
  '早安，三號病房準備好了嗎？',
  '準備好了 👍🏽 — see you at 10',
  '𠮷野家 한국어 עברית 🏥🧑‍⚕️',
];

export const talk: Scenario = {
  name: 'two people with two devices each see each other and hold a conversation that every device shows alike and the archive accounts for',
  async run(world) {
    const mei = await world.person('林美玲 Mei-Ling Lin');
    const tom = await world.person('Tom Okafor');
    await world.archiving(mei, { archiveInternal: true, archiveExternal: true, critical: false });
    const [meiDesk, meiPhone, tomDesk, tomWeb] = await Promise.all([
      world.device(mei),
      world.device(mei),
      world.device(tom),
      world.device(tom),
    ]);
    const all = [meiDesk, meiPhone, tomDesk, tomWeb];

    await meiDesk.client.watch([tom.id]);
    await tomDesk.client.watch([mei.id]);
    await sees(meiDesk.client, tom.id, 3000, 4500);
    await sees(tomDesk.client, mei.id, 3000, 4500);
    await tomWeb.client.setPresence(PreferredAvailability.BUSY);
    await sees(meiDesk.client, tom.id, 6000, 7500);
    await tomWeb.client.setNote('in theatre until noon 手術中');
    await tomWeb.client.setPresence(undefined);
    await sees(meiDesk.client, tom.id, 3000, 4500);
    assert.equal(meiDesk.client.presence.of(tom.id).getSnapshot().note, 'in theatre until noon 手術中');

    const sent: string[] = [];
    for (const [i, text] of LINES.entries()) {
      const from = all[i % all.length] as (typeof all)[number];
      const to = from.person.id === mei.id ? tom : mei;
      const { messageId, acknowledged } = from.client.send(to.id, text);
      const result = await acknowledged;
      assert.equal(result.eventId, `${from.person.id}.${messageId}`);
      assert.equal(result.replayed, false);
      sent.push(result.eventId);
      await Promise.all(all.map(device => receives(device, text))); // so that every author answers what he has seen
    }
    for (const device of all) {
      assert.deepEqual(device.texts(), LINES, 'the same order on every device, each message once');
      assert.equal(new Set(device.events.map(e => e.id)).size, device.events.length);
    }
    await tomDesk.client.loadHistory(mei.id);
    assert.deepEqual(
      tomDesk.client.conversations
        .with(mei.id)
        .getSnapshot()
        .messages.map(m => m.text),
      LINES,
    );

    const { result, findings, records } = await world.verify();
    assert.deepEqual(findings, []);
    assert.equal(result.intact, true);
    for (const id of sent)
      assert.equal(records.filter(r => r.recordId === id).length, 1, `${id} stands in the archive once`);

    await tomDesk.client.close();
    await tomWeb.client.signOut();
    await sees(meiDesk.client, tom.id, 18_000, 65_536, 30_000);
  },
};
