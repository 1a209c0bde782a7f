import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { countingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;
const address = 'boss@hospital.example';
const newPassword = 'mountains in the morning';

/** Every call for people, with a request that would be accepted of an administrator. */
const calls: readonly (readonly [DescMethodUnary, Record<string, unknown>])[] = [
  [directory.getMe, {}],
  [directory.getPeople, { ids: ['x'] }],
  [directory.searchPeople, { query: 'x' }],
  [directory.getPhoto, { personId: 'x' }],
  [directory.listGroups, {}],
  [directory.listGroupMembers, { group: 'x' }],
  [admin.createPerson, { requestId: crypto.randomUUID(), address: 'n@hospital.example', displayName: 'N' }],
  [admin.getAccount, { person: address }],
  [admin.listAccounts, {}],
  [admin.setAccountState, { person: 'bob@hospital.example', state: AccountState.DISABLED }],
  [admin.unlockAccount, { person: 'bob@hospital.example' }],
  [admin.resetPassword, { person: 'bob@hospital.example', newPassword }],
  [admin.setRoles, { person: 'bob@hospital.example', roles: [] }],
  [admin.renamePerson, { person: 'bob@hospital.example', displayName: 'B' }],
  [admin.deletePerson, { person: 'bob@hospital.example' }],
  [admin.restorePerson, { person: 'bob@hospital.example' }],
  [admin.importPeople, { rows: [{ address: 'n@hospital.example', displayName: 'N' }] }],
  [admin.putGroup, { name: 'G' }],
  [admin.deleteGroup, { group: 'G' }],
  [admin.signOutPerson, { person: 'bob@hospital.example' }],
  [PolicyAdminService.method.setArchivingPolicy, { policy: { archiveInternal: true } }],
  [PolicyAdminService.method.resetArchivingPolicy, {}],
  [PolicyAdminService.method.getEffectiveArchivingPolicy, {}],
];

describe('an access token that is still valid', () => {
  let d: Directory;
  let boss: string;
  beforeEach(async () => {
    d = await startDirectory();
    boss = await d.person(address, { roles: [Role.ADMINISTRATOR] });
    await d.person('other@hospital.example', { roles: [Role.ADMINISTRATOR] });
    await d.person('bob@hospital.example');
  });
  afterEach(() => d.close());

  const tokenOf = async () => d.as((await d.signIn(address)).tokens?.accessToken as string);

  it('is of every method for people checked here', () => {
    const services = [DirectoryService, DirectoryAdminService, PolicyAdminService];
    assert.deepEqual(
      new Set(calls.map(([method]) => method)),
      new Set(services.flatMap(service => service.methods)) as Set<unknown>,
    );
  });

  const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
    [
      'is disabled',
      () => d.call(admin.setAccountState, { person: boss, state: AccountState.DISABLED }, administrator()),
    ],
    ['is deleted', () => d.call(admin.deletePerson, { person: boss }, administrator())],
    ['is signed out by an administrator', () => d.call(admin.signOutPerson, { person: boss }, administrator())],
    ['gets another password', () => d.call(admin.resetPassword, { person: boss, newPassword }, administrator())],
  ];
  for (const [what, end] of ends) {
    it(`is good for nothing once its person ${what}`, async () => {
      const context = await tokenOf();
      await d.call(directory.getMe, {}, context);
      await end();
      await d.clock.advance(2001);
      for (const [method, request] of calls) {
        await assert.rejects(d.call(method, request as never, context), refusal('directory.sign_in_over'), method.name);
      }
      await assert.rejects(
        d.call(AuthService.method.changePassword, { currentPassword: goodPassword, newPassword }, context),
        refusal('directory.sign_in_over'),
      );
    });
  }

  it('administers nothing from the very moment on, and reads for at most two seconds more', async () => {
    const context = await tokenOf();
    await d.call(directory.getMe, {}, context);
    await d.call(admin.deletePerson, { person: boss }, administrator());
    await assert.rejects(d.call(admin.listAccounts, {}, context), refusal('directory.sign_in_over'));
    await assert.rejects(d.call(directory.getMe, {}, context), refusal('directory.sign_in_over'), 'known by now');

    const other = await d.as((await d.signIn('other@hospital.example')).tokens?.accessToken as string);
    await d.call(directory.searchPeople, { query: 'bob' }, other);
    await d.call(admin.signOutPerson, { person: 'other@hospital.example' }, administrator());
    await d.clock.advance(1999);
    await d.call(directory.searchPeople, { query: 'bob' }, other);
    await d.clock.advance(1);
    await assert.rejects(d.call(directory.searchPeople, { query: 'bob' }, other), refusal('directory.sign_in_over'));
  });

  it('gives no role that was taken away since, and none that was given since', async () => {
    const context = await tokenOf();
    await d.call(admin.setRoles, { person: boss, roles: [Role.USER_ADMINISTRATOR] }, administrator());
    for (const [method, request] of calls) {
      if (method === admin.setRoles || method.parent === PolicyAdminService) {
        await assert.rejects(d.call(method, request as never, context), refusal('directory.role_lost'), method.name);
      }
    }
    // No role of the token is left: user administrator came later.
    await assert.rejects(d.call(admin.getAccount, { person: boss }, context), refusal('directory.role_lost'));
    await d.call(directory.getMe, {}, context);
    const fresh = await tokenOf();
    await d.call(admin.getAccount, { person: boss }, fresh);
    const other = { person: 'other@hospital.example', newPassword };
    await assert.rejects(d.call(admin.resetPassword, other, fresh), refusal('directory.target_has_roles'));
    assert.match(await d.metrics.render(), /parley_directory_stale_tokens_total\{reason="role_lost"\} [5-9]/);
  });

  it('reduces an administrator to what is left of his roles', async () => {
    const two = [Role.ADMINISTRATOR, Role.USER_ADMINISTRATOR];
    await d.call(admin.setRoles, { person: boss, roles: two }, administrator());
    const context = await tokenOf();
    await d.call(admin.setRoles, { person: boss, roles: [Role.USER_ADMINISTRATOR] }, administrator());
    const request = { person: 'other@hospital.example', newPassword };
    await assert.rejects(d.call(admin.resetPassword, request, context), refusal('directory.target_has_roles'));
    const made = { requestId: crypto.randomUUID(), address: 'x@hospital.example', displayName: 'X' };
    await assert.rejects(
      d.call(admin.createPerson, { ...made, roles: [Role.ADMINISTRATOR] }, context),
      refusal('directory.roles_need_administrator'),
    );
    await d.call(admin.createPerson, made, context);
  });

  it('of a sign-in of somebody else, or of none, is refused', async () => {
    const context = await tokenOf();
    assert.ok(context.principal.kind === 'person');
    for (const wrong of [{ id: 'somebody' }, { signInId: 'none' }]) {
      const principal = { ...context.principal, ...wrong };
      await assert.rejects(d.call(directory.getMe, {}, { ...context, principal }), refusal('directory.sign_in_over'));
    }
  });

  it('costs readers two reads every two seconds', async () => {
    const context = await tokenOf();
    const counting = countingStore(d.store);
    const target = d.replica({}, counting.store);
    for (let i = 0; i < 5; i++) await d.call(directory.listGroups, {}, context, target);
    const checks = () => counting.reads.filter(read => read === 'directory_sign_ins.get').length;
    assert.equal(checks(), 1);
    await d.clock.advance(2000);
    await d.call(directory.listGroups, {}, context, target);
    assert.equal(checks(), 2);
  });
});
