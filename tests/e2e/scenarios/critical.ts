import assert from 'node:assert/strict';
import { until } from '@parley/testkit';
import { receives, refused, type Scenario } from '../scenario.ts';

export const critical: Scenario = {
  name: 'with the log down, critical mode refuses at once and delivers to nobody; others go on and are archived later',
  config: { im: { logDeadlineMs: 500, relayEveryMs: 200, breakerOpenMs: 500 } },
  async run(world) {
    const [lea, max, nia, omar] = await Promise.all(['Lea', 'Max', 'Nia', 'Omar'].map(name => world.person(name)));
    assert.ok(lea && max && nia && omar);
    await world.archiving(lea, { archiveInternal: true, archiveExternal: true, critical: true });
    await world.archiving(nia, { archiveInternal: true, archiveExternal: true, critical: false });
    const [leaDesk, maxDesk, niaDesk, omarDesk] = await Promise.all(
      [lea, max, nia, omar].map(person => world.device(person)),
    );
    assert.ok(leaDesk && maxDesk && niaDesk && omarDesk);
    await leaDesk.client.send(max.id, 'log is up').acknowledged;
    await receives(maxDesk, 'log is up');

    await world.faults.logDown();
    try {
      await refused(leaDesk.client.send(max.id, 'must not be delivered').acknowledged, 'im.archive_unavailable');
      await refused(maxDesk.client.send(lea.id, 'nor this one').acknowledged, 'im.archive_unavailable');
      const quick = performance.now();
      await refused(leaDesk.client.send(max.id, 'at once').acknowledged, 'im.archive_unavailable');
      assert.ok(performance.now() - quick < 5_000);
      await niaDesk.client.send(omar.id, 'archived later').acknowledged;
      await omarDesk.client.send(max.id, 'not archived at all').acknowledged;
      await receives(omarDesk, 'archived later');
      await receives(maxDesk, 'not archived at all');
    } finally {
      await world.faults.logUp();
    }

    // the refused ones are not there: neither pushed nor found
    await maxDesk.client.sync();
    assert.deepEqual(maxDesk.texts(), ['log is up', 'not archived at all']);
    await leaDesk.client.sync();
    assert.deepEqual(leaDesk.texts(), ['log is up']);

    const back = await until(
      'critical mode to accept again',
      async () => leaDesk.client.send(max.id, 'log is back').acknowledged.catch(() => undefined),
      {
        timeoutMs: 60_000,
        everyMs: 250,
      },
    );
    await receives(maxDesk, 'log is back');
    const later = niaDesk.client.conversations
      .with(omar.id)
      .getSnapshot()
      .messages.find(m => m.text === 'archived later');
    assert.ok(later);
    await until(
      'what was pending to be archived',
      async () => {
        const { result, records } = await world.verify();
        assert.equal(result.intact, true);
        const states = (id: string) => records.filter(r => r.recordId === id && r.state === 1).length;
        return states(later.id) === 1 && states(back.eventId) === 1;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
  },
};
