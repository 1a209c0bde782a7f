import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import {
  DirectoryAdminService,
  ImportAction,
  type ImportPeopleRequestSchema,
  type ImportPeopleResponse,
} from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const mail = (name: string) => `${name}@hospital.example`;
const newPassword = 'mountains in the morning';

describe('a dry run', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory({ lockoutAttempts: 1 });
    for (const name of ['root', 'second']) await d.person(mail(name), { roles: [Role.ADMINISTRATOR] });
    for (const name of ['ada', 'gone', 'locked']) await d.person(mail(name), { name });
    await d.call(admin.deletePerson, { person: mail('gone') }, administrator());
    await d.call(admin.putGroup, { name: 'Staff', addMembers: [mail('ada')] }, administrator());
    await assert.rejects(d.signIn(mail('locked'), 'wrong'));
    await d.signIn(mail('ada'));
  });
  afterEach(() => d.close());

  const calls: readonly (readonly [DescMethodUnary, Record<string, unknown>])[] = [
    [
      admin.createPerson,
      {
        requestId: crypto.randomUUID(),
        address: mail('new'),
        displayName: 'New',
        initialPassword: goodPassword,
        roles: [Role.ADMINISTRATOR],
      },
    ],
    [admin.setAccountState, { person: mail('ada'), state: AccountState.DISABLED }],
    [admin.setAccountState, { person: mail('second'), state: AccountState.DISABLED }],
    [admin.unlockAccount, { person: mail('locked') }],
    [admin.resetPassword, { person: mail('ada'), newPassword }],
    [admin.setRoles, { person: mail('ada'), roles: [Role.ADMINISTRATOR] }],
    [admin.setRoles, { person: mail('second'), roles: [] }],
    [admin.renamePerson, { person: mail('ada'), displayName: 'Ada L', primaryAddress: mail('ada.l') }],
    [admin.signOutPerson, { person: mail('ada') }],
    [admin.deletePerson, { person: mail('ada') }],
    [admin.restorePerson, { person: mail('gone') }],
    [
      admin.importPeople,
      {
        rows: [
          {
            address: mail('i'),
            displayName: 'I',
            groups: ['Staff', 'Other'],
            setGroups: true,
            initialPassword: goodPassword,
          },
          { address: mail('ada'), externalId: 'E1', manager: mail('i'), enabled: false, groups: [], setGroups: true },
        ],
      },
    ],
    [admin.putGroup, { name: 'Crew', addMembers: [mail('ada')] }],
    [admin.putGroup, { name: 'staff', newName: 'Stuff', removeMembers: [mail('ada')] }],
    [admin.deleteGroup, { group: 'staff' }],
  ];

  it('is there for every call that changes something', () => {
    const withDryRun = DirectoryAdminService.methods.filter(m => m.input.fields.some(f => f.name === 'dry_run'));
    assert.deepEqual(new Set(calls.map(([method]) => method)), new Set(withDryRun) as Set<unknown>);
    const others = DirectoryAdminService.methods.filter(m => !withDryRun.includes(m)).map(m => m.name);
    assert.deepEqual(others.sort(), ['GetAccount', 'ListAccounts']);
  });

  for (const [index, [method, request]] of calls.entries()) {
    it(`of ${method.name} (${index + 1}) answers as the call itself does, stores, tells and counts nothing`, async () => {
      const failing = failingStore(d.store);
      const target = d.replica({}, failing.store);
      d.changes.length = 0;
      d.log.length = 0;
      const metrics = await counters(d);
      const rehearsed = await d.call(method, { ...request, dryRun: true } as never, administrator(), target);
      assert.deepEqual([failing.writes, d.changes.length, d.log], [0, 0, []]);
      assert.deepEqual(await counters(d), metrics);
      const real = await d.call(method, request as never, administrator(), target);
      assert.deepEqual(comparable(rehearsed), comparable(real));
      assert.ok(failing.writes > 0 && d.log.length > 0);
    });
  }

  it('refuses what the call itself refuses', async () => {
    await d.call(admin.deletePerson, { person: mail('second') }, administrator());
    const helper = administrator([Role.USER_ADMINISTRATOR]);
    const refusals: readonly (readonly [DescMethodUnary, Record<string, unknown>, string])[] = [
      [admin.setAccountState, { person: mail('root'), state: AccountState.DISABLED }, 'directory.last_administrator'],
      [admin.setRoles, { person: mail('root'), roles: [] }, 'directory.last_administrator'],
      [admin.deletePerson, { person: mail('root') }, 'directory.last_administrator'],
      [admin.deletePerson, { person: mail('nobody') }, 'directory.person_not_found'],
      [admin.renamePerson, { person: mail('ada'), primaryAddress: mail('root') }, 'directory.address_taken'],
      [admin.renamePerson, { person: mail('gone'), displayName: 'X' }, 'directory.person_deleted'],
      [admin.resetPassword, { person: mail('ada'), newPassword: 'short' }, 'directory.password_short'],
      [
        admin.createPerson,
        { requestId: crypto.randomUUID(), address: mail('ada'), displayName: 'A' },
        'directory.address_taken',
      ],
      [admin.putGroup, { name: 'G', addMembers: ['nobody'] }, 'directory.person_not_found'],
      [admin.deleteGroup, { group: 'G' }, 'directory.group_not_found'],
    ];
    for (const [method, request, code] of refusals) {
      for (const dryRun of [true, false]) {
        await assert.rejects(
          d.call(method, { ...request, dryRun } as never, administrator()),
          refusal(code),
          method.name,
        );
      }
    }
    const request = { person: mail('root'), newPassword, dryRun: true };
    await assert.rejects(d.call(admin.resetPassword, request, helper), refusal('directory.target_has_roles'));
  });

  it('of two calls knows nothing of each other, and leaves sign-ins alone', async () => {
    const request: MessageInitShape<typeof ImportPeopleRequestSchema> = {
      rows: [{ address: mail('i'), displayName: 'I' }],
      dryRun: true,
    };
    for (let i = 0; i < 2; i++) {
      const { outcomes }: ImportPeopleResponse = await d.call(admin.importPeople, request, administrator());
      assert.deepEqual(
        outcomes.map(o => [o.action, o.personId]),
        [[ImportAction.CREATED, '']],
      );
    }
    await d.call(admin.resetPassword, { person: mail('ada'), newPassword, dryRun: true }, administrator());
    await d.call(admin.signOutPerson, { person: mail('ada'), dryRun: true }, administrator());
    await d.signIn(mail('ada'), goodPassword);
    const { groups } = await d.call(DirectoryService.method.listGroups, {}, administrator());
    assert.deepEqual(
      groups.map(g => [g.name, g.memberCount]),
      [['Staff', 1]],
    );
  });
});

async function counters(d: Directory): Promise<readonly string[]> {
  const lines = (await d.metrics.render()).split('\n');
  return lines.filter(line => line.startsWith('parley_directory_'));
}

/** Without what cannot be known beforehand: ids and revisions of what is made. */
function comparable(message: object): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value: unknown) => {
      if (key === 'revision' || key === 'personId' || key === 'id') return undefined;
      return typeof value === 'bigint' ? String(value) : value;
    }),
  );
}
