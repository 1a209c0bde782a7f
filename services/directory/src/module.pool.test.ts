import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService, ImportAction } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { systemClock, systemIds } from '@parley/runtime';
import { connectMongoStore } from '@parley/store';
import { accounts, people } from './collections.ts';
import { isAdministrator } from './domain/account.ts';
import { administrator, type Directory, refusal, startDirectory } from './testing/harness.ts';

const url = process.env.PARLEY_TEST_MONGO_URL ?? '';
const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;
const mail = (name: string) => `${name}@hospital.example`;

if (!url) it('the directory on the MongoDB wire', { skip: 'PARLEY_TEST_MONGO_URL is not set' });
else
  describe('the directory on the MongoDB wire', () => {
    let d: Directory;
    before(async () => {
      const database = `directory_${systemIds.uuid().slice(0, 8)}`;
      const open = () => connectMongoStore({ url, database, clock: systemClock });
      d = await startDirectory({}, store => store, open);
    });
    after(() => d.close());

    const load = async (rows: readonly object[]) =>
      (await d.call(admin.importPeople, { rows: [...rows] }, administrator(), d.replica())).outcomes;

    it('makes one person of the same row imported by many at once, and one group', async () => {
      const rows = Array.from({ length: 20 }, (_, i) => ({
        externalId: `R${i}`,
        address: mail(`r${i}`),
        displayName: `Race ${i}`,
        manager: i === 0 ? '' : 'R0',
        groups: ['Race'],
        setGroups: true,
      }));
      const results = await Promise.all([load(rows), load(rows), load(rows.toReversed())]);
      const actions = results.flat().map(o => o.action);
      assert.equal(actions.filter(a => a === ImportAction.CREATED).length, 20);
      assert.equal(actions.filter(a => a === ImportAction.REFUSED).length, 0);
      assert.equal(await d.collection(people).count('byKind', { equals: ['person'] }, 100), 20);
      const { group, members } = await d.call(directory.listGroupMembers, { group: 'RACE' }, administrator());
      assert.deepEqual([group?.memberCount, members.length], [20, 20]);
    });

    it('imports in minutes what takes an organisation years to hire', async t => {
      const rows = Array.from({ length: 2000 }, (_, i) => ({
        externalId: `E${i}`,
        address: mail(`e${i}`),
        displayName: i % 2 ? `王小明${i}` : `Given Family${i}`,
        ...(i === 0 ? {} : { manager: `E${Math.floor(i / 20)}` }),
        groups: [`Ward ${i % 40}`, 'Everybody'],
      }));
      for (const wanted of ['created', 'unchanged']) {
        const started = performance.now();
        const outcomes = await d.module.importPeople(rows);
        t.diagnostic(`${wanted}: ${Math.round((rows.length * 1000) / (performance.now() - started))} rows/s`);
        assert.deepEqual([...new Set(outcomes.map(o => o.action))], [wanted]);
      }
      const { groups } = await d.call(directory.listGroups, { query: 'everyb' }, administrator());
      assert.deepEqual(
        groups.map(g => g.memberCount),
        [2000],
      );
      const rehearsed = await d.module.importPeople(
        rows.map(row => ({ ...row, department: 'New' })),
        { dryRun: true },
      );
      assert.ok(rehearsed.every(o => o.action === 'updated'));
      assert.ok((await d.module.importPeople(rows)).every(o => o.action === 'unchanged'));
    });

    it('pages through accounts by state, groups by name and members by id', async () => {
      const gone = (await d.call(admin.getAccount, { person: mail('e7') }, administrator())).account?.person?.id;
      await d.call(admin.deletePerson, { person: mail('e7') }, administrator());
      await d.call(admin.setAccountState, { person: mail('e8'), state: AccountState.DISABLED }, administrator());
      const listed = async (state: AccountState) => {
        const ids: (string | undefined)[] = [];
        let cursor = '';
        do {
          const page = await d.call(admin.listAccounts, { state, cursor, limit: 500 }, administrator());
          ids.push(...page.accounts.map(account => account.person?.id));
          cursor = page.nextCursor;
        } while (cursor !== '');
        assert.deepEqual(ids, ids.toSorted());
        return ids;
      };
      assert.deepEqual(await listed(AccountState.DELETED), [gone]);
      assert.equal((await listed(AccountState.DISABLED)).length, 1);
      assert.equal((await listed(AccountState.UNSPECIFIED)).length, 2019);
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await d.call(directory.listGroups, { query: 'ward', cursor, limit: 7 }, administrator());
        seen.push(...page.groups.map(group => group.name));
        cursor = page.nextCursor;
      } while (cursor !== '');
      assert.equal(new Set(seen).size, 40);
      const { group } = await d.call(directory.listGroupMembers, { group: 'ward 7' }, administrator());
      assert.equal(group?.memberCount, 49);
      await d.call(admin.restorePerson, { person: mail('e7') }, administrator());
      const again = await d.call(directory.listGroupMembers, { group: 'ward 7' }, administrator());
      assert.deepEqual([again.group?.memberCount, again.members.some(m => m.id === gone)], [50, true]);
    });

    it('refuses the name of another group, and forgets a group that is deleted', async () => {
      for (const name of ['A1', 'A2'])
        await d.call(admin.putGroup, { name, addMembers: [mail('e1')] }, administrator());
      const rename = d.call(admin.putGroup, { name: 'a1', newName: 'ａ２' }, administrator());
      await assert.rejects(rename, refusal('directory.group_exists', 'new_name'));
      await d.call(admin.deleteGroup, { group: 'A1' }, administrator());
      const list = d.call(directory.listGroupMembers, { group: 'A1' }, administrator());
      await assert.rejects(list, refusal('directory.group_not_found', 'group'));
    });

    it('keeps the last administrator, whoever deletes and restores at the same time', async () => {
      const ids: string[] = [];
      for (const name of ['x', 'y', 'z']) ids.push(await d.person(mail(name), { roles: [Role.ADMINISTRATOR] }));
      for (let round = 0; round < 5; round++) {
        await Promise.allSettled(
          ids.map(person => d.call(admin.deletePerson, { person }, administrator(), d.replica())),
        );
        const { docs } = await d.collection(accounts).scan('byRole', { equals: ['administrator'], limit: 100 });
        assert.equal(docs.filter(doc => isAdministrator(doc) && doc._id !== 'root').length, 1);
        await Promise.all(ids.map(person => d.call(admin.restorePerson, { person }, administrator(), d.replica())));
      }
    });
  });
