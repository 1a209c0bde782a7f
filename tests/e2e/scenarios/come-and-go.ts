import assert from 'node:assert/strict';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { Role } from '@parley/contracts';
import { ArchiveService, DiscoveryService } from '@parley/contracts/archive/v1/archive';
import { DirectoryAdminService, ImportAction } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { ImService } from '@parley/contracts/im/v1/im';
import { PreferredAvailability, PresenceService } from '@parley/contracts/presence/v1/presence';
import { SessionService } from '@parley/contracts/session/v1/session';
import { until } from '@parley/testkit';
import { codeOf } from '../error-code.ts';
import { receives, refused, type Scenario } from '../scenario.ts';

export const comeAndGo: Scenario = {
  name: 'people come in by file, are found in any script, go away without losing what they said, and come back',
  config: { directory: { standingMaxAgeMs: 500 }, session: { signInCheckMs: 1_000 } },
  async run(world) {
    const { directoryAdmin } = (await world.administrator()).services;
    const password = `pw-${crypto.randomUUID()}`;
    const row = (id: string, displayName: string, more: object = {}) => ({
      externalId: id,
      address: `${id}@parley.example`,
      displayName,
      groups: ['外科 Surgery'],
      setGroups: true,
      ...more,
    });
    const rows = [
      row('n1', '林美玲', { manager: 'n2', initialPassword: password }),
      row('n2', 'Zoë O’Brien', { department: 'Ward 7' }),
      row('n3', 'Nobody', { manager: 'n9' }),
      row('n1', '林 美玲', { title: 'Dr.' }),
    ];
    const { CREATED, REFUSED, UPDATED, UNCHANGED } = ImportAction;
    const rehearsed = await directoryAdmin.importPeople({ rows, dryRun: true });
    const imported = await directoryAdmin.importPeople({ rows });
    for (const { outcomes } of [rehearsed, imported]) {
      assert.deepEqual(
        outcomes.map(o => [o.action, o.code]),
        [
          [CREATED, ''],
          [CREATED, ''],
          [REFUSED, 'directory.manager_not_found'],
          [UPDATED, ''],
        ],
      );
    }
    const again = await directoryAdmin.importPeople({ rows: rows.slice(1, 2) });
    assert.equal(again.outcomes[0]?.action, UNCHANGED);
    const lin = { id: imported.outcomes[0]?.personId as string, address: 'n1@parley.example' };

    // found in any order and width, and in the group
    const ines = await world.person('Ines');
    const desk = await world.device(ines);
    const { directory } = desk.client.services;
    const found = async (query: string) => (await directory.searchPeople({ query })).people.map(p => p.id);
    for (const query of ['美玲', '玲', '林美玲', '美玲林', '美玲 林', 'Ｎ１@parley']) {
      assert.ok((await found(query)).includes(lin.id), query);
    }
    assert.equal((await found('zoe obrien')).length, 1);
    const members = async () => (await directory.listGroupMembers({ group: '外科 surgery' })).members.map(m => m.id);
    assert.ok((await members()).includes(lin.id));

    // she talks, and is deleted: her stream ends, her name stays, nobody finds or reaches her
    const admin = await world.person('Second', [Role.ADMINISTRATOR, Role.USER_ADMINISTRATOR]);
    const transport = createGrpcWebTransport({ baseUrl: world.parley.url });
    const { tokens } = await createClient(AuthService, transport).signIn({
      address: admin.address,
      password: admin.password,
      deviceLabel: '',
    });
    const second = createClient(DirectoryAdminService, transport);
    const bearer = { headers: { authorization: `Bearer ${tokens?.accessToken}` } };
    await directoryAdmin.resetPassword({ person: lin.id, newPassword: `${password}-2` });
    const her = world.client();
    await her.signIn(lin.address, `${password}-2`);
    await her.changePassword(`${password}-2`, password);
    await her.connect();
    await her.send(ines.id, 'before I go').acknowledged;
    await receives(desk, 'before I go');
    const { account } = await second.deletePerson({ person: lin.address }, bearer);
    assert.equal(account?.state, AccountState.DELETED);
    await until('the stream of somebody deleted to end', () => her.connection.getSnapshot().phase === 'ended', {
      timeoutMs: 30_000,
    });
    assert.deepEqual((await found('美玲')).includes(lin.id), false);
    assert.equal((await members()).includes(lin.id), false);
    assert.deepEqual((await directory.getPeople({ addresses: [lin.address] })).people, []);
    const named = (await directory.getPeople({ ids: [lin.id] })).people;
    assert.deepEqual(
      named.map(p => p.displayName),
      ['林 美玲'],
    );
    await refused(desk.client.send(lin.id, 'are you there?').acknowledged, 'im.recipient_disabled');
    await refused(world.client().signIn(lin.address, password), 'directory.sign_in_refused');
    await refused(
      directoryAdmin.createPerson({ requestId: crypto.randomUUID(), address: lin.address, displayName: 'Other' }),
      'directory.address_taken',
    );

    // whoever is disabled administers, reads, shows and opens nothing with the token he still has
    const [im, presence, session] = [ImService, PresenceService, SessionService].map(s =>
      createClient(s, transport),
    ) as [Client<typeof ImService>, Client<typeof PresenceService>, Client<typeof SessionService>];
    const requestId = () => crypto.randomUUID();
    const opened = async () => {
      for await (const { event } of session.connect({ endpointId: `old-token-${admin.id}` }, bearer)) return event.case;
      return undefined;
    };
    const calls: readonly [string, () => Promise<unknown>][] = [
      ['im.account_disabled', () => im.sync({}, bearer)],
      ['im.account_disabled', () => im.getHistory({ withPersonId: ines.id }, bearer)],
      ['presence.account_disabled', () => presence.getMyPresence({}, bearer)],
      ['presence.account_disabled', () => presence.setNote({ requestId: requestId(), text: 'still here' }, bearer)],
      ['presence.account_disabled', () => presence.resetPresence({ requestId: requestId() }, bearer)],
      [
        'presence.account_disabled',
        () => presence.setPresence({ requestId: requestId(), availability: PreferredAvailability.BUSY }, bearer),
      ],
      ['session.account_disabled', opened],
    ];
    for (const [code, call] of calls) await call().catch(error => assert.fail(`${code}: ${error}`));
    await directoryAdmin.setAccountState({ person: admin.id, state: AccountState.DISABLED });
    await refused(second.restorePerson({ person: lin.id }, bearer), 'directory.sign_in_over');
    for (const [code, call] of calls) await closes(call, code);

    // whoever was compliance officer looks into nothing with the token he still has
    const officer = await world.person('Officer', [Role.COMPLIANCE_OFFICER, Role.HELP_DESK]);
    const { tokens: badge } = await createClient(AuthService, transport).signIn({
      address: officer.address,
      password: officer.password,
      deviceLabel: '',
    });
    const shown = { headers: { authorization: `Bearer ${badge?.accessToken}` } };
    const archive = createClient(ArchiveService, transport);
    const discovery = createClient(DiscoveryService, transport);
    const purpose = { caseId: 'HR-1', reason: 'a test' };
    const search = () => discovery.search({ purpose, query: {} }, shown);
    await search();
    await archive.getStatus({}, shown);
    const presenceOf = createClient(PresenceService, transport);
    const explain = () => presenceOf.explainPresence({ viewerId: officer.id, targetId: desk.person.id }, shown);
    await explain();
    await directoryAdmin.setRoles({ person: officer.id, roles: [Role.AUDITOR] });
    for (const look of [search, () => archive.getStatus({}, shown)]) await closes(look, 'archive.role_lost');
    await closes(explain, 'presence.role_lost');

    // back as she was
    await directoryAdmin.restorePerson({ person: lin.address });
    assert.ok((await found('美玲')).includes(lin.id) && (await members()).includes(lin.id));
    const back = world.client();
    await back.signIn(lin.address, password);
    await back.connect();
    await until('messages to reach her again', () =>
      desk.client.send(lin.id, 'welcome back').acknowledged.then(
        () => true,
        () => false,
      ),
    );
  },
};

/** Resolves when every replica refuses the call: each hears of a change, or asks again, by itself. */
async function closes(call: () => Promise<unknown>, code: string): Promise<void> {
  const isRefused = () =>
    call().then(
      () => false,
      error => codeOf(error) === code,
    );
  const everywhere = async () => (await Promise.all([1, 2, 3, 4].map(isRefused))).every(Boolean);
  await until(`${code} of every replica`, everywhere, { timeoutMs: 10_000, everyMs: 100 });
}
