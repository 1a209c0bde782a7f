import assert from 'node:assert/strict';
import { Importance, TextFormat } from '@parley/contracts/im/v1/im';
import { receives, refused, type Scenario } from '../scenario.ts';

export const retry: Scenario = {
  name: 'a message sent again with the same id is stored, delivered and archived once; other content under that id is refused',
  async run(world) {
    const ivy = await world.person('Ivy Chen');
    const jon = await world.person('Jon Berg');
    await world.archiving(ivy, { archiveInternal: true, archiveExternal: true, critical: false });
    const ivyDesk = await world.device(ivy);
    const jonDesk = await world.device(jon);
    const { im } = ivyDesk.client.services;
    const content = { text: 'exactly once', format: TextFormat.PLAIN, importance: Importance.NORMAL };
    const request = { messageId: crypto.randomUUID(), recipientId: jon.id, content, afterKey: '' };

    const first = await im.sendMessage({ ...request, attempt: 0 });
    assert.equal(first.replayed, false);
    for (const attempt of [0, 1, 2]) {
      const again = await im.sendMessage({ ...request, attempt });
      assert.equal(again.replayed, true);
      assert.equal(again.key, first.key);
      assert.equal(again.acceptedMs, first.acceptedMs);
    }
    const together = await Promise.all(
      Array.from({ length: 8 }, (_, attempt) =>
        im.sendMessage({ ...request, messageId: request.messageId.replace(/.$/, 'f'), attempt }),
      ),
    );
    assert.equal(new Set(together.map(r => r.key)).size, 1, 'all tries got the same result');

    await refused(
      im.sendMessage({ ...request, content: { ...content, text: 'something else' } }),
      'im.message_id_reused',
    );
    await refused(
      im.sendMessage({ ...request, attempt: 3, content: { ...content, text: 'something else' } }),
      'im.message_id_reused',
    );

    await im.sendMessage({ ...request, messageId: crypto.randomUUID(), content: { ...content, text: 'the end' } });
    await receives(jonDesk, 'the end');
    await jonDesk.client.sync();
    const expected = request.messageId.endsWith('f') ? 1 : 2;
    assert.equal(jonDesk.texts().filter(text => text === 'exactly once').length, expected);

    const { result, records } = await world.verify();
    assert.equal(result.intact, true);
    const kept = records.filter(r => r.recordId === first.eventId && r.state === 1);
    assert.equal(kept.length, 1, 'archived once');
  },
};
