import assert from 'node:assert/strict';
import { DeviceType, MachineState, type ParleyClient, PreferredAvailability } from '@parley/client';
import { until } from '@parley/testkit';
import { type Scenario, sees } from '../scenario.ts';

export const presenceOverTime: Scenario = {
  name: 'presence changes with time alone, is the sum of all devices, and does not flap when a device comes back',
  config: { presence: { inactiveAfterMs: 2_500, awayAfterMs: 5_000, graceMs: 4_000, sweepIntervalMs: 250 } },
  async run(world) {
    const eva = await world.person('Eva');
    const fay = await world.person('Fay');
    const watcher = await world.device(fay);
    await watcher.client.watch([eva.id]);
    const desk = await world.device(eva, { endpointId: 'evas-desk-0001' });
    await sees(watcher.client, eva.id, 3000, 4500);

    // nobody reports activity: inactive, then away, by the clock alone
    await sees(watcher.client, eva.id, 4500, 6000);
    await sees(watcher.client, eva.id, 15_000, 18_000);
    await desk.client.reportActivity(MachineState.ACTIVE);
    await sees(watcher.client, eva.id, 3000, 4500);

    // a choice that ends by itself
    await desk.client.setPresence(PreferredAvailability.DO_NOT_DISTURB, { expiresMs: Date.now() + 2_000 });
    await sees(watcher.client, eva.id, 9000, 12_000);
    await sees(watcher.client, eva.id, 3000, 6000);

    // the most active device decides
    const phone = await world.device(eva, { endpointId: 'evas-phone-001', device: DeviceType.MOBILE });
    await sees(watcher.client, eva.id, 3000, 4500);
    await phone.client.reportActivity(MachineState.AWAY);
    await desk.client.reportActivity(MachineState.ACTIVE);
    await sees(watcher.client, eva.id, 3000, 4500);
    await phone.client.signOut();

    // a cut and a quick return are not seen by anybody
    await desk.client.setPresence(PreferredAvailability.BUSY);
    await sees(watcher.client, eva.id, 6000, 9000);
    const seen: number[] = [];
    const store = watcher.client.presence.of(eva.id);
    const off = store.subscribe(() => seen.push(store.getSnapshot().availability));
    const again = await world.device(eva, { endpointId: 'evas-desk-0001' });
    await takenOver(desk.client);
    await again.client.setNote('back');
    await sees(watcher.client, eva.id, 6000, 9000);
    off();
    assert.ok(
      seen.every(availability => availability >= 6000 && availability < 9000),
      `no flapping: ${seen.join(', ')}`,
    );

    await again.client.signOut();
    await sees(watcher.client, eva.id, 18_000, 65_536);
  },
};

async function takenOver(client: ParleyClient): Promise<void> {
  await until('the first stream to be taken over', () => client.connection.getSnapshot().phase === 'ended');
  const state = client.connection.getSnapshot();
  assert.equal(state.phase === 'ended' && state.reason, 'taken-over');
}
