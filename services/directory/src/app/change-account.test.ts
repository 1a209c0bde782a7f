import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { type AccountDoc, accounts, guards } from '../collections.ts';
import { isAdministrator } from '../domain/account.ts';
import { administrator, type Directory, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore, failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const { ENABLED, DISABLED } = AccountState;

// The one who calls in these tests is nobody's administrator.
const isCounted = (doc: AccountDoc) => isAdministrator(doc) && doc._id !== 'root';

describe('accounts', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());
  const setState = async (person: string, state: AccountState, target = d.module, by = administrator()) =>
    (await d.call(admin.setAccountState, { person, state }, by, target)).account;
  const setRoles = async (person: string, roles: Role[], target = d.module) =>
    (await d.call(admin.setRoles, { person, roles }, administrator(), target)).account;
  const enabledAdministrators = async () => {
    const { docs } = await d.collection(accounts).scan('byRole', { equals: ['administrator'], limit: 100 });
    return docs.filter(isCounted).map(doc => doc._id);
  };

  it('that are disabled lose their sign-ins, and everybody is told', async () => {
    const id = await d.person('alice@hospital.example');
    const { tokens } = await d.signIn('alice@hospital.example');
    d.changes.length = 0;
    assert.equal((await setState(id, DISABLED))?.state, DISABLED);
    assert.equal(d.changes[0]?.personId, id);
    assert.ok(d.changes[0]?.event.disabled && d.changes[0].event.allSignInsEnded);
    const signInId = tokens?.refreshToken.split('.')[1] as string;
    const check = () => d.call(DirectoryInternalService.method.checkSignIns, { signInIds: [signInId] });
    assert.deepEqual((await check()).ended, [signInId]);
    const { principals } = await d.call(DirectoryInternalService.method.getPrincipals, { ids: [id] });
    assert.equal(principals[0]?.enabled, false);
    assert.ok((principals[0]?.version ?? 0n) >= (d.changes[0]?.event.version as bigint));

    await setState(id, ENABLED);
    assert.equal(d.changes[1]?.event.disabled, false);
    assert.deepEqual((await check()).ended, [signInId], 'the old sign-in stays over');
    assert.ok((await d.signIn('alice@hospital.example')).tokens);
  });

  it('that are disabled again stay as they are, but the news is repeated in case it was lost', async () => {
    const id = await d.person('alice@hospital.example');
    const first = await setState(id, DISABLED);
    d.changes.length = 0;
    assert.equal((await setState(id, DISABLED))?.revision, first?.revision);
    assert.equal(d.changes.length, 1);
    assert.equal(d.log.filter(l => l.event === 'directory.account_state_changed').length, 1);
  });

  it('of the last enabled administrator can neither be disabled nor lose the role', async () => {
    const root = await d.person('root@hospital.example', { roles: [Role.ADMINISTRATOR] });
    const old = await d.person('old@hospital.example', { roles: [Role.ADMINISTRATOR] });
    await setState(old, DISABLED);
    await assert.rejects(setState(root, DISABLED), refusal('directory.last_administrator', 'person'));
    await assert.rejects(setRoles(root, [Role.VIEWER]), refusal('directory.last_administrator'));
    await setRoles(root, [Role.VIEWER, Role.ADMINISTRATOR]);
    await setState(old, ENABLED);
    await setRoles(root, []);
    await assert.rejects(setRoles(old, []), refusal('directory.last_administrator'));
    assert.deepEqual(await enabledAdministrators(), [old]);
  });

  it('of administrators disabled and enabled by many at once always leave one', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const own = await startDirectory();
      const ids: string[] = [];
      for (const name of ['a', 'b', 'c'])
        ids.push(await own.person(`${name}@hospital.example`, { roles: [Role.ADMINISTRATOR] }));
      const call = (i: number, round: number) => {
        const target = own.replica({}, dawdlingStore(own.store, seed * 100 + i * 10 + round));
        const person = ids[i % 3] as string;
        // Mostly away, some back: they meet at every step.
        const which = (i + round + seed) % 4;
        if (which === 0) return own.call(admin.setAccountState, { person, state: ENABLED }, administrator(), target);
        if (which === 1)
          return own.call(admin.setRoles, { person, roles: [Role.ADMINISTRATOR] }, administrator(), target);
        if (which === 2) return own.call(admin.setRoles, { person, roles: [] }, administrator(), target);
        return own.call(admin.setAccountState, { person, state: DISABLED }, administrator(), target);
      };
      for (let round = 0; round < 3; round++) {
        const results = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => call(i, round)));
        for (const r of results)
          if (r.status === 'rejected') assert.ok(refusal('directory.last_administrator')(r.reason));
        const { docs } = await own.collection(accounts).scan('byRole', { equals: ['administrator'], limit: 100 });
        const enabled = docs.filter(isCounted).map(doc => doc._id);
        const listed = (await own.collection(guards).get('administrators'))?.members.map(m => m.id) ?? [];
        assert.ok(enabled.length > 0, `seed ${seed}: nobody is left`);
        assert.ok(
          listed.length > 0 && listed.every(id => enabled.includes(id)),
          `seed ${seed}: ${listed} of ${enabled}`,
        );
      }
      await own.close();
    }
  });

  it('cut off at any write never leave the organisation without an administrator, and can be changed again', async () => {
    for (const applied of [false, true]) {
      for (const nth of [1, 2, 3]) {
        const own = await startDirectory();
        const a = await own.person('a@hospital.example', { roles: [Role.ADMINISTRATOR] });
        const b = await own.person('b@hospital.example', { roles: [Role.ADMINISTRATOR] });
        const failing = failingStore(own.store);
        const target = own.replica({}, failing.store);
        const disable = (person: string) =>
          own.call(admin.setAccountState, { person, state: DISABLED }, administrator(), target);
        const enable = (person: string) =>
          own.call(admin.setAccountState, { person, state: ENABLED }, administrator(), target);
        failing.fail(nth, { applied });
        await Promise.allSettled([disable(a)]);
        failing.fail(0, { applied });
        await disable(a);
        await assert.rejects(disable(b), refusal('directory.last_administrator'));
        failing.fail(nth, { applied });
        await Promise.allSettled([enable(a)]);
        failing.fail(0, { applied });
        await enable(a);
        await disable(b);
        await assert.rejects(disable(a), refusal('directory.last_administrator'));
        await own.close();
      }
    }
  });

  it('that a crash left off the list of administrators are found again before refusing', async () => {
    const root = await d.person('root@hospital.example', { roles: [Role.ADMINISTRATOR] });
    const second = await d.person('second@hospital.example', { roles: [Role.ADMINISTRATOR] });
    const guard = await d.collection(guards).get('administrators');
    assert.ok(guard?._rev);
    await d.collection(guards).replace({ ...guard, members: guard.members.filter(m => m.id === root) }, guard._rev);
    await setState(root, DISABLED);
    assert.deepEqual(await enabledAdministrators(), [second]);
  });

  it('with a role are changed by administrators only', async () => {
    const viewer = await d.person('viewer@hospital.example', { roles: [Role.VIEWER] });
    const alice = await d.person('alice@hospital.example');
    const newPassword = 'something quite new';
    for (const role of [Role.USER_ADMINISTRATOR, Role.HELP_DESK]) {
      const by = administrator([role]);
      for (const call of [
        () => d.call(admin.resetPassword, { person: viewer, newPassword }, by),
        () => d.call(admin.unlockAccount, { person: viewer }, by),
        () => d.call(admin.signOutPerson, { person: viewer }, by),
      ]) {
        await assert.rejects(call(), refusal('directory.target_has_roles', 'person'));
      }
      await d.call(admin.resetPassword, { person: alice, newPassword }, by);
    }
    const by = administrator([Role.USER_ADMINISTRATOR]);
    for (const call of [
      () => setState(viewer, DISABLED, d.module, by),
      () => d.call(admin.deletePerson, { person: viewer }, by),
    ]) {
      await assert.rejects(call(), refusal('directory.target_has_roles', 'person'));
    }
    await d.call(admin.resetPassword, { person: viewer, newPassword }, administrator());
  });

  it('with a reset password are unlocked, signed out and must change it', async () => {
    const own = await startDirectory({ lockoutAttempts: 1 });
    const person = 'alice@hospital.example';
    await own.person(person);
    const { tokens } = await own.signIn(person);
    await assert.rejects(own.signIn(person, 'wrong'));
    await assert.rejects(own.signIn(person), refusal('directory.sign_in_locked'));
    own.changes.length = 0;
    const newPassword = 'mountains in the morning';
    await own.call(admin.resetPassword, { person, newPassword }, administrator());
    assert.equal(own.changes[0]?.event.allSignInsEnded, true);
    assert.equal((await own.signIn(person, newPassword)).passwordChangeRequired, true);
    const refreshToken = tokens?.refreshToken as string;
    await assert.rejects(own.call(AuthService.method.refresh, { refreshToken }), refusal('directory.sign_in_over'));
    await own.close();
  });

  it('are listed in order of id, page by page', async () => {
    const ids = [];
    for (let i = 0; i < 7; i++) ids.push(await d.person(`p${i}@hospital.example`));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await d.call(admin.listAccounts, { limit: 3, cursor }, administrator());
      seen.push(...page.accounts.map(a => a.person?.id as string));
      cursor = page.nextCursor;
      assert.ok(page.accounts.length === 3 || cursor === '');
    } while (cursor !== '');
    assert.deepEqual(seen, ids.sort());
    await assert.rejects(
      d.call(admin.listAccounts, { cursor: 'x y' }, administrator()),
      refusal('directory.cursor_invalid'),
    );
  });
});
