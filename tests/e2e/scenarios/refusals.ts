import assert from 'node:assert/strict';
import { Importance, TextFormat } from '@parley/contracts/im/v1/im';
import { DeviceType, MachineState, PreferredAvailability } from '@parley/contracts/presence/v1/presence';
import { refused, type Scenario } from '../scenario.ts';

export const refusals: Scenario = {
  name: 'every input has a limit, and every refusal a stable code and the field at fault',
  async run(world) {
    const kim = await world.person('Kim');
    const leo = await world.person('Leo');
    const kimDesk = await world.device(kim);
    const { im, presence, session, directory, directoryAdmin, archive } = kimDesk.client.services;
    const uuid = () => crypto.randomUUID();
    const say = (text: string, rest = {}) =>
      im.sendMessage({
        messageId: uuid(),
        recipientId: leo.id,
        content: { text, format: TextFormat.PLAIN, importance: Importance.NORMAL },
        ...rest,
      });

    await refused(say(''), 'im.text_empty');
    await refused(say('x'.repeat(8_001)), 'im.text_too_long');
    await refused(say('\u0007bell'), 'im.text_control_character');
    await say('x'.repeat(8_000));
    await say('\t界\n🏥');
    await refused(say('hi', { messageId: 'not-a-uuid' }), 'im.message_id_invalid');
    await refused(say('hi', { recipientId: kim.id }), 'im.recipient_self');
    await refused(say('hi', { recipientId: 'no such*id' }), 'im.recipient_invalid');
    await refused(say('hi', { recipientId: 'nobody-has-this-id' }), 'im.recipient_not_found');
    await refused(say('hi', { afterKey: 'zzz' }), 'im.after_key_invalid');
    await refused(im.sync({ cursor: 'made up' }), 'im.cursor_invalid');
    await refused(im.sync({ limit: 501 }), 'im.limit_invalid');
    await refused(im.getHistory({ conversationId: 'd_AAAAAAAAAAAAAAAAAAAAAA' }), 'im.conversation_not_found');
    await refused(im.getHistory({}), 'im.conversation_invalid');

    await refused(presence.setNote({ requestId: uuid(), text: 'n'.repeat(501) }), 'presence.note_too_long');
    await refused(presence.setPresence({ requestId: uuid() }), 'presence.required');
    await refused(
      presence.setPresence({ requestId: uuid(), availability: PreferredAvailability.APPEAR_OFFLINE }),
      'presence.appear_offline_forbidden',
    );
    await refused(
      presence.setPresence({ requestId: uuid(), availability: PreferredAvailability.BUSY, expiresMs: 1n }),
      'presence.expires_in_past',
    );
    await refused(
      presence.getPresence({ personIds: Array.from({ length: 201 }, (_, i) => `p${i}`) }),
      'presence.too_many',
    );

    const connect = {
      endpointId: 'a-second-device-1',
      device: DeviceType.WEB,
      clientVersion: 'scenario/1.0.0',
      machineState: MachineState.ACTIVE,
    };
    const firstOf = async (stream: AsyncIterable<unknown>) => {
      for await (const event of stream) return event;
      return undefined;
    };
    await refused(firstOf(session.connect({ ...connect, endpointId: 'short' })), 'session.invalid_id');
    await refused(
      firstOf(session.connect({ ...connect, watchPersonIds: Array.from({ length: 1_001 }, (_, i) => `p${i}`) })),
      'session.too_many_ids',
    );

    await refused(directory.getPeople({ ids: Array.from({ length: 201 }, (_, i) => `p${i}`) }), 'directory.too_many');
    await refused(directoryAdmin.listAccounts({}), 'rpc.permission_denied');
    const verify = archive.verify({});
    await refused(firstOf(verify), 'rpc.permission_denied');
    const admin = await world.administrator();
    await refused(firstOf(admin.services.archive.verify({})), 'rpc.permission_denied');

    // too many devices: the limit is 8, and a refused one changes nothing
    const devices = await Promise.all(Array.from({ length: 7 }, () => world.device(kim)));
    await refused(world.device(kim), 'presence.too_many_endpoints');
    await Promise.all(devices.map(device => device.client.close()));
    assert.equal(kimDesk.client.connection.getSnapshot().phase, 'online');

    // nothing that people said and no secret stands in any log
    for (const process of world.parley.processes) {
      const log = process.log();
      assert.ok(log.length > 0);
      for (const secret of [kim.password, '界', 'xxxxxxxxxx', 'Bearer '])
        assert.ok(!log.includes(secret), `${process.name} logs ${secret.slice(0, 10)}`);
    }
  },
};
