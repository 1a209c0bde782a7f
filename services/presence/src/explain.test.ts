import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import {
  AccessRule,
  AvailabilitySource,
  ContactLevel,
  DeviceType,
  EndpointOutcome,
  MachineState,
  PreferredAvailability as P,
  WithheldPart,
} from '@parley/contracts/presence/v1/presence';
import { connect, lease } from './testing/steps.ts';
import { createWorld, refusal, uuid } from './testing/world.ts';

describe('an explanation of presence', () => {
  it('names level, entry, devices and choice, and never what the note says', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    await lease(replica);
    await connect(replica, 'tom', 'phone-of-tom', { device: DeviceType.MOBILE });
    const desk = await connect(replica, 'tom', 'desk-of-tom');
    await world.pass(1_000);
    await desk.report(MachineState.INACTIVE);
    await replica.as('tom').setPresence({ requestId: uuid(1), availability: P.BUSY });
    await replica.as('tom').setNote({ requestId: uuid(2), text: 'at the dentist' });
    const help = replica.as('hana', Role.HELP_DESK);
    const told = await help.explainPresence({ viewerId: 'ann', targetId: 'tom' });
    assert.deepEqual(
      [told.level, told.container, told.rule, told.defaultEntry, told.ownEntries, told.withheld],
      [ContactLevel.COLLEAGUES, 200, AccessRule.SAME_ENTERPRISE, true, 0, []],
    );
    assert.deepEqual(
      told.endpoints.map(e => [e.endpointId, e.device, e.machineState, e.lostMs, e.pod, e.outcome]),
      [
        ['phone-of-tom', DeviceType.MOBILE, MachineState.ACTIVE, 0n, 'session-1', EndpointOutcome.MOST_ACTIVE],
        ['desk-of-tom', DeviceType.COMPUTER, MachineState.INACTIVE, 0n, 'session-1', EndpointOutcome.LESS_ACTIVE],
      ],
    );
    assert.deepEqual([told.preferred, told.source], [P.BUSY, AvailabilitySource.CHOICE_AND_DEVICE]);
    assert.equal(told.preferredExpiresMs - told.preferredSetMs, 86_400_000n);
    assert.deepEqual(
      [told.view?.availability, told.view?.note, told.noteShown, told.published],
      [6500, '', true, true],
    );
    // what he sees is what the explanation says
    const { views } = await replica.as('ann').getPresence({ personIds: ['tom'] });
    const { note: _note, noteSetMs: _at, ...seen } = views[0] ?? assert.fail();
    assert.deepEqual(
      { ...told.view, note: undefined, noteSetMs: undefined },
      { ...seen, note: undefined, noteSetMs: undefined },
    );
    assert.equal(await replica.count('parley_presence_explained_total'), 1);
  });

  it('says that a viewer is refused or has no level, and that nobody was ever there', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    world.directory.disabled.add('dan');
    world.directory.external.add('zoe');
    const admin = replica.as('root', Role.ADMINISTRATOR);
    const told = async (viewerId: string) => {
      const { rule, level, withheld, source, view, published } = await admin.explainPresence({
        viewerId,
        targetId: 'tom',
      });
      assert.deepEqual([source, view?.availability, published], [AvailabilitySource.NO_DEVICE, 18500, true]);
      return [rule, level, withheld];
    };
    assert.deepEqual(await told('dan'), [AccessRule.VIEWER_REFUSED, ContactLevel.BLOCKED, [WithheldPart.ALL]]);
    assert.deepEqual(await told('zoe'), [AccessRule.NONE, ContactLevel.BLOCKED, [WithheldPart.ALL]]);
    assert.deepEqual(await told('ann'), [AccessRule.SAME_ENTERPRISE, ContactLevel.COLLEAGUES, []]);
    assert.equal(await replica.count('parley_presence_watchers_refused_total'), 0, 'nobody looked');
  });

  it('is given to those who administer people, while their accounts are in force', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    const pair = { viewerId: 'ann', targetId: 'tom' };
    for (const roles of [[], [Role.VIEWER], [Role.COMPLIANCE_OFFICER], [Role.AUDITOR]])
      await assert.rejects(replica.as('eve', ...roles).explainPresence(pair), refusal('rpc.permission_denied'));
    for (const role of [Role.ADMINISTRATOR, Role.USER_ADMINISTRATOR, Role.HELP_DESK])
      assert.equal((await replica.as(`eve-${role}`, role).explainPresence(pair)).container, 200);
    const admin = replica.as('root', Role.ADMINISTRATOR);
    await assert.rejects(admin.explainPresence({ ...pair, viewerId: '' }), refusal('presence.invalid_id', 'viewer_id'));
    await assert.rejects(
      admin.explainPresence({ ...pair, targetId: 'a b' }),
      refusal('presence.invalid_id', 'target_id'),
    );
    world.directory.disabled.add('root');
    await world.pass(130_000);
    await assert.rejects(admin.explainPresence(pair), refusal('presence.account_disabled'));
  });

  it('is not given to who lost the role, although his token still names it', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    const help = replica.as('hana', Role.HELP_DESK);
    await help.explainPresence({ viewerId: 'ann', targetId: 'tom' });
    world.directory.roles.set('hana', [Role.VIEWER]);
    await world.pass(130_000);
    await assert.rejects(help.explainPresence({ viewerId: 'ann', targetId: 'tom' }), refusal('presence.role_lost'));
    assert.equal(await replica.count('parley_presence_explained_total'), 1);
  });

  it('is not given while nobody can say who the viewer is', async () => {
    await using world = await createWorld();
    const replica = await world.replica();
    world.directory.failure = new Error('away');
    const asked = replica.as('root', Role.ADMINISTRATOR).explainPresence({ viewerId: 'ann', targetId: 'tom' });
    await assert.rejects(asked, refusal('presence.directory_unavailable'));
  });
});
