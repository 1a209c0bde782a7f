import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { accounts, groups, guards, memberships, people } from '../collections.ts';
import { isAdministrator } from '../domain/account.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore, failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;
const { DELETED, DISABLED, ENABLED } = AccountState;

describe('a person who is deleted', () => {
  let d: Directory;
  let alice: string;
  const address = 'alice@hospital.example';
  beforeEach(async () => {
    d = await startDirectory();
    alice = await d.person(address, { name: 'Alice Chen' });
  });
  afterEach(() => d.close());

  const remove = (person: string, by = administrator()) => d.call(admin.deletePerson, { person }, by);
  const restore = (person: string) => d.call(admin.restorePerson, { person }, administrator());

  it('is signed out everywhere at once, and everybody is told', async () => {
    const { tokens } = await d.signIn(address);
    const before = await d.as(tokens?.accessToken as string);
    d.changes.length = 0;
    const { account } = await remove(address);
    assert.equal(account?.state, DELETED);
    assert.equal(account?.deletedMs, BigInt(d.clock.now()));
    assert.deepEqual(
      d.changes.map(c => [c.personId, c.event.disabled, c.event.allSignInsEnded]),
      [[alice, true, true]],
    );
    await assert.rejects(d.signIn(address), refusal('directory.sign_in_refused'));
    const refreshToken = tokens?.refreshToken as string;
    await assert.rejects(d.call(AuthService.method.refresh, { refreshToken }), refusal('directory.sign_in_over'));
    await assert.rejects(d.call(directory.getMe, {}, before), refusal('directory.sign_in_over'));
    const { principals } = await d.call(DirectoryInternalService.method.getPrincipals, { ids: [alice] });
    assert.deepEqual(
      principals.map(p => [p.id, p.enabled, p.displayName]),
      [[alice, false, 'Alice Chen']],
    );
  });

  it('is found by nobody, but his messages keep his name', async () => {
    await d.call(
      admin.importPeople,
      { rows: [{ address, department: 'Cardiology', title: 'Dr.', otherAddresses: ['al@hospital.example'] }] },
      administrator(),
    );
    await d.call(admin.putGroup, { name: 'Staff', addMembers: [address] }, administrator());
    await remove(alice);
    const by = administrator();
    for (const query of ['alice', 'chen', address]) {
      assert.deepEqual((await d.call(directory.searchPeople, { query }, by)).people, [], query);
    }
    const addresses = [address, 'al@hospital.example'];
    assert.deepEqual((await d.call(directory.getPeople, { addresses }, by)).people, []);
    const { people } = await d.call(directory.getPeople, { ids: [alice], addresses }, by);
    assert.deepEqual(people, [
      {
        $typeName: 'parley.directory.v1.Person',
        id: alice,
        displayName: 'Alice Chen',
        primaryAddress: '',
        addresses: [],
        department: '',
        title: '',
        language: '',
        site: '',
        managerId: '',
        photoVersion: '',
      },
    ]);
    const { group, members } = await d.call(directory.listGroupMembers, { group: 'staff' }, by);
    assert.deepEqual([group?.memberCount, members], [0, []]);
    assert.deepEqual((await d.call(directory.listGroups, { memberId: alice }, by)).groups, []);
  });

  it('keeps his addresses', async () => {
    await remove(alice);
    await assert.rejects(d.person(address), refusal('directory.address_taken', 'address'));
    const { outcomes } = await d.call(
      admin.importPeople,
      { rows: [{ address, displayName: 'Another' }] },
      administrator(),
    );
    assert.deepEqual(
      outcomes.map(o => [o.code, o.field]),
      [['directory.person_deleted', 'address']],
    );
  });

  it('is listed to administrators only when they ask for the deleted', async () => {
    const bob = await d.person('bob@hospital.example');
    const carol = await d.person('carol@hospital.example');
    await d.call(admin.setAccountState, { person: carol, state: DISABLED }, administrator());
    await remove(alice);
    const list = async (state: AccountState) => {
      const { accounts } = await d.call(admin.listAccounts, { state }, administrator());
      return accounts.map(account => account.person?.id).sort();
    };
    assert.deepEqual(await list(AccountState.UNSPECIFIED), [bob, carol].sort());
    assert.deepEqual(await list(ENABLED), [bob]);
    assert.deepEqual(await list(DISABLED), [carol]);
    assert.deepEqual(await list(DELETED), [alice]);
    const { account } = await d.call(admin.getAccount, { person: address }, administrator());
    assert.deepEqual([account?.state, account?.person?.displayName], [DELETED, 'Alice Chen']);
  });

  it('comes back as he was, with groups and password, and signs in anew', async () => {
    await d.call(admin.putGroup, { name: 'Staff', addMembers: [address] }, administrator());
    const { tokens } = await d.signIn(address);
    await remove(alice);
    const { account } = await restore(address);
    assert.deepEqual([account?.state, account?.deletedMs], [ENABLED, 0n]);
    const refreshToken = tokens?.refreshToken as string;
    await assert.rejects(d.call(AuthService.method.refresh, { refreshToken }), refusal('directory.sign_in_over'));
    await d.signIn(address);
    const found = await d.call(directory.searchPeople, { query: 'alice' }, administrator());
    assert.deepEqual(
      found.people.map(p => p.id),
      [alice],
    );
    const { group, members } = await d.call(directory.listGroupMembers, { group: 'staff' }, administrator());
    assert.deepEqual([group?.memberCount, members.map(m => m.id)], [1, [alice]]);
  });

  it('comes back disabled when he was disabled', async () => {
    await d.call(admin.setAccountState, { person: alice, state: DISABLED }, administrator());
    await remove(alice);
    assert.equal((await restore(alice)).account?.state, DISABLED);
    await assert.rejects(d.signIn(address), refusal('directory.sign_in_refused'));
  });

  it('costs searches nothing', async () => {
    const entries = () => d.collection(people).count('byPrefix', { equals: ['alice'] }, 10);
    assert.equal(await entries(), 1);
    await remove(alice);
    assert.equal(await entries(), 0);
    await restore(alice);
    assert.equal(await entries(), 1);
  });

  it('is hidden or shown as his account says in the end, however often he comes and goes at once', async () => {
    const { group } = await d.call(admin.putGroup, { name: 'Staff', addMembers: [alice] }, administrator());
    for (let seed = 1; seed <= 15; seed++) {
      await Promise.all(
        Array.from({ length: 6 }, (_, i) => {
          const method = (i + seed) % 2 ? admin.deletePerson : admin.restorePerson;
          return d.call(
            method,
            { person: alice },
            administrator(),
            d.replica({}, dawdlingStore(d.store, seed * 10 + i)),
          );
        }),
      );
      const shown = (await d.collection(accounts).get(alice))?.state !== 'deleted';
      assert.equal((await d.collection(memberships).get(`${group?.id}.${alice}`))?.shown, shown, `seed ${seed}`);
      assert.equal(((await d.collection(people).get(alice))?.prefixes.length ?? 0) > 0, shown, `seed ${seed}`);
      assert.equal((await d.collection(groups).get(group?.id as string))?.memberCount, shown ? 1 : 0, `seed ${seed}`);
    }
  });

  it('is deleted, or brought back, once: a repetition changes and counts nothing', async () => {
    const first = await remove(alice);
    await d.clock.advance(1000);
    const second = await remove(alice);
    assert.deepEqual(second.account, first.account);
    await restore(alice);
    const { account } = await restore(alice);
    assert.equal(account?.state, ENABLED);
    const counted = await d.metrics.render();
    for (const kind of ['person_deleted', 'person_restored']) {
      assert.match(counted, new RegExp(`parley_directory_changes_total\\{kind="${kind}"\\} 1\n`));
    }
  });

  it('is changed by nobody before he is restored', async () => {
    await remove(alice);
    const by = administrator();
    const person = alice;
    for (const call of [
      () => d.call(admin.setAccountState, { person, state: ENABLED }, by),
      () => d.call(admin.setAccountState, { person, state: DISABLED }, by),
      () => d.call(admin.unlockAccount, { person }, by),
      () => d.call(admin.resetPassword, { person, newPassword: goodPassword }, by),
      () => d.call(admin.setRoles, { person, roles: [Role.VIEWER] }, by),
      () => d.call(admin.renamePerson, { person, displayName: 'Other' }, by),
      () => d.call(admin.signOutPerson, { person }, by),
    ]) {
      await assert.rejects(call(), refusal('directory.person_deleted', 'person'));
    }
    await assert.rejects(
      d.call(admin.putGroup, { name: 'G', addMembers: [person] }, by),
      refusal('directory.person_deleted', 'add_members[0]'),
    );
    await assert.rejects(
      d.module.ensureAdministrator({ address, displayName: 'Alice', password: goodPassword }),
      refusal('directory.person_deleted'),
    );
  });

  it('with a role is deleted and restored by administrators only, and unknown ones are refused', async () => {
    const viewer = await d.person('viewer@hospital.example', { roles: [Role.VIEWER] });
    const helper = administrator([Role.USER_ADMINISTRATOR]);
    await assert.rejects(remove(viewer, helper), refusal('directory.target_has_roles', 'person'));
    await remove(alice, helper);
    await remove(viewer);
    await assert.rejects(
      d.call(admin.restorePerson, { person: viewer }, helper),
      refusal('directory.target_has_roles', 'person'),
    );
    await assert.rejects(remove('nobody'), refusal('directory.person_not_found', 'person'));
    await assert.rejects(restore('n@hospital.example'), refusal('directory.person_not_found', 'person'));
  });
});

describe('the last administrator', () => {
  // Whoever calls in these tests is nobody's administrator.
  const left = async (d: Directory) => {
    const { docs } = await d.collection(accounts).scan('byRole', { equals: ['administrator'], limit: 100 });
    return docs.filter(doc => isAdministrator(doc) && doc._id !== 'root').map(doc => doc._id);
  };
  const remove = (d: Directory, person: string, target = d.module) =>
    d.call(admin.deletePerson, { person }, administrator(), target);

  it('is not deleted; one who is deleted counts no more, one who is restored does', async () => {
    const d = await startDirectory();
    const a = await d.person('a@hospital.example', { roles: [Role.ADMINISTRATOR] });
    await assert.rejects(remove(d, a), refusal('directory.last_administrator', 'person'));
    const b = await d.person('b@hospital.example', { roles: [Role.ADMINISTRATOR] });
    await remove(d, a);
    await assert.rejects(remove(d, b), refusal('directory.last_administrator', 'person'));
    await d.call(admin.restorePerson, { person: a }, administrator());
    await remove(d, b);
    assert.deepEqual(await left(d), [a]);
    const { outcomes } = await d.call(
      admin.importPeople,
      { rows: [{ address: 'a@hospital.example', enabled: false }] },
      administrator(),
    );
    assert.deepEqual(
      outcomes.map(o => [o.code, o.field]),
      [['directory.last_administrator', 'enabled']],
    );
    await d.close();
  });

  it('stays whoever deletes, disables, restores and imports at the same time', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const d = await startDirectory();
      const ids: string[] = [];
      for (const name of ['a', 'b', 'c'])
        ids.push(await d.person(`${name}@hospital.example`, { roles: [Role.ADMINISTRATOR] }));
      const call = (i: number): Promise<unknown> => {
        const target = d.replica({}, dawdlingStore(d.store, seed * 100 + i));
        const person = ids[i % 3] as string;
        const rows = [{ address: `${'abc'[i % 3]}@hospital.example`, enabled: false }];
        const which = (i + seed) % 5;
        if (which === 0) return d.call(admin.restorePerson, { person }, administrator(), target);
        if (which === 1) return d.call(admin.setAccountState, { person, state: DISABLED }, administrator(), target);
        if (which === 2) return d.call(admin.importPeople, { rows }, administrator(), target);
        return remove(d, person, target);
      };
      await Promise.allSettled(Array.from({ length: 12 }, (_, i) => call(i)));
      const enabled = await left(d);
      const listed = (await d.collection(guards).get('administrators'))?.members.map(m => m.id) ?? [];
      assert.ok(enabled.length > 0, `seed ${seed}: nobody is left`);
      assert.ok(listed.length > 0 && listed.every(id => enabled.includes(id)), `seed ${seed}: ${listed} of ${enabled}`);
      await d.close();
    }
  });

  it('is found by a repetition after any write that failed, and groups follow', async () => {
    for (const applied of [false, true]) {
      for (let nth = 1; nth <= 4; nth++) {
        const d = await startDirectory();
        const a = await d.person('a@hospital.example', { roles: [Role.ADMINISTRATOR] });
        await d.person('b@hospital.example', { roles: [Role.ADMINISTRATOR] });
        await d.call(admin.putGroup, { name: 'Staff', addMembers: [a] }, administrator());
        const failing = failingStore(d.store);
        failing.fail(nth, { applied });
        await Promise.allSettled([remove(d, a, d.replica({}, failing.store))]);
        const { account } = await remove(d, a);
        assert.equal(account?.state, DELETED);
        const { group } = await d.call(directory.listGroupMembers, { group: 'Staff' }, administrator());
        assert.equal(group?.memberCount, 0, `write ${nth}`);
        await assert.rejects(remove(d, 'b@hospital.example'), refusal('directory.last_administrator'));
        await d.close();
      }
    }
  });
});
