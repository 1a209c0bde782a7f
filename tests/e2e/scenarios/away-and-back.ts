import assert from 'node:assert/strict';
import { memoryCursorStore, memoryTokenStore } from '@parley/client';
import { receives, type Scenario } from '../scenario.ts';

export const awayAndBack: Scenario = {
  name: 'whoever was away reads later what was written meanwhile, once, from where he stopped',
  async run(world) {
    const ana = await world.person('Ana Souza');
    const ben = await world.person('Ben Haddad');
    const anaDesk = await world.device(ana);
    const keep = { tokens: memoryTokenStore(), cursors: memoryCursorStore(), endpointId: 'bens-computer-01' };
    const ben1 = await world.device(ben, keep);
    await anaDesk.client.send(ben.id, 'before').acknowledged;
    await receives(ben1, 'before');
    await ben1.client.sync();
    await ben1.client.close();

    const while_away = Array.from({ length: 25 }, (_, i) => `while away ${i}`);
    for (const text of while_away) await anaDesk.client.send(ben.id, text).acknowledged;

    const ben2 = await world.device(ben, keep);
    await receives(ben2, ...while_away);
    assert.deepEqual(
      ben2.texts().filter(text => text !== 'before'),
      while_away,
      'in the order they were written',
    );
    assert.equal(new Set(ben2.events.map(e => e.id)).size, ben2.events.length, 'each once');

    // a device that never saw any of it pages through the history
    const fresh = await world.device(ben);
    let cursor = await fresh.client.loadHistory(ana.id, { limit: 10 });
    while (cursor !== undefined) cursor = await fresh.client.loadHistory(ana.id, { cursor, limit: 10 });
    assert.deepEqual(
      fresh.client.conversations
        .with(ana.id)
        .getSnapshot()
        .messages.map(m => m.text),
      ['before', ...while_away],
    );
  },
};
