import assert from 'node:assert/strict';
import { RecordState } from '@parley/contracts/archive/v1/archive';
import { until } from '@parley/testkit';
import { codeOf } from '../error-code.ts';
import { receives, refused, type Scenario } from '../scenario.ts';

export const critical: Scenario = {
  name: 'with the log down, critical mode refuses at once and delivers to nobody; others go on and are archived later',
  config: {
    im: {
      logDeadlineMs: 500,
      relayEveryMs: 200,
      breakerOpenMs: 500,
      keyVisibleMs: 2_000,
      reconcileMarginMs: 500,
      cursorLagMs: 3_000,
    },
  },
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

    const messageId = crypto.randomUUID();
    const again = () => leaDesk.client.send(max.id, 'again and again', { messageId }).acknowledged;
    await world.faults.logDown();
    try {
      await refused(leaDesk.client.send(max.id, 'must not be delivered').acknowledged, 'im.archive_unavailable');
      await refused(maxDesk.client.send(lea.id, 'nor this one').acknowledged, 'im.archive_unavailable');
      for (let i = 0; i < 3; i++) await refused(again(), 'im.archive_unavailable');
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

    // what the log took all the same of a refused message is marked, and nobody gets it
    const refusedId = `${lea.id}.${messageId}`;
    const { archive } = (await world.complianceOfficer()).services;
    const counts = async () => {
      const located = await archive.locateRecord({ recordId: refusedId }).catch((error: Error) => {
        if (codeOf(error) === 'archive.record_not_found') return undefined;
        throw error;
      });
      return located?.state === RecordState.ARCHIVED;
    };
    await until('the refused message to be marked', async () => !(await counts()), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
    await maxDesk.client.sync();
    assert.deepEqual(maxDesk.texts(), ['log is up', 'not archived at all', 'log is back']);

    // until its author sends it again: once, and archived
    assert.equal((await again()).eventId, refusedId);
    await receives(maxDesk, 'again and again');
    assert.equal((await again()).replayed, true);
    assert.equal(maxDesk.texts().filter(text => text === 'again and again').length, 1);
    await until('it to be archived', counts, {
      timeoutMs: 60_000,
      everyMs: 500,
    });
  },
};
