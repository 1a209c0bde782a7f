import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { DirectoryAdminService, type PutGroupRequestSchema } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { groups, memberships } from '../collections.ts';
import { maxGroupMembers, newMembership } from '../domain/group.ts';
import { administrator, type Directory, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore, failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;

describe('groups', () => {
  let d: Directory;
  let ids: string[];
  beforeEach(async () => {
    d = await startDirectory();
    ids = [];
    for (const name of ['ada', 'bob', 'eve']) ids.push(await d.person(`${name}@hospital.example`));
  });
  afterEach(() => d.close());

  const put = async (request: MessageInitShape<typeof PutGroupRequestSchema>, target = d.module) => {
    const { group } = await d.call(admin.putGroup, request, administrator(), target);
    assert.ok(group);
    return group;
  };
  const members = async (group: string) => {
    const page = await d.call(directory.listGroupMembers, { group }, administrator());
    assert.equal(page.group?.memberCount, page.members.length);
    return page.members.map(member => member.id);
  };
  const names = async (query: string, memberId = '') =>
    (await d.call(directory.listGroups, { query, memberId }, administrator())).groups.map(group => group.name);

  it('are made with people by id and address, and changed by name without regard to case and width', async () => {
    const made = await put({
      name: 'Ｗard 7',
      description: 'Nights',
      addMembers: ['ada@hospital.example', ids[1] as string],
    });
    assert.deepEqual([made.name, made.description, made.memberCount], ['Ｗard 7', 'Nights', 2]);
    assert.match(made.id, /^[A-Za-z0-9_-]{1,64}$/);
    const changed = await put({
      name: 'WARD  7',
      addMembers: [ids[2] as string, ids[1] as string],
      removeMembers: ['ada@hospital.example'],
    });
    assert.deepEqual([changed.id, changed.name, changed.description], [made.id, 'Ｗard 7', 'Nights']);
    assert.ok(changed.revision > made.revision);
    assert.deepEqual(await members('ward 7'), [ids[1], ids[2]].sort());
    assert.deepEqual(await members(made.id), [ids[1], ids[2]].sort());
    assert.equal((await put({ name: 'ward 7', description: '' })).description, '');
    const same = await put({ name: 'ward 7', addMembers: [ids[1] as string], removeMembers: [ids[0] as string] });
    assert.equal((await put({ name: 'ward 7' })).revision, same.revision, 'nothing changes, nothing is written');
  });

  it('are renamed, also when the call is repeated, but not to the name of another', async () => {
    const a = await put({ name: 'Alpha', addMembers: [ids[0] as string] });
    await put({ name: 'Beta' });
    await assert.rejects(put({ name: 'Alpha', newName: 'BETA' }), refusal('directory.group_exists', 'new_name'));
    await assert.rejects(put({ name: 'Gamma', newName: 'Delta' }), refusal('directory.group_not_found', 'name'));
    for (let i = 0; i < 2; i++) {
      const renamed = await put({ name: 'Alpha', newName: 'Omega', addMembers: [ids[1] as string] });
      assert.deepEqual([renamed.id, renamed.name, renamed.memberCount], [a.id, 'Omega', 2]);
    }
    assert.deepEqual(await names(''), ['Beta', 'Omega']);
    assert.deepEqual(await names('alpha'), []);
    assert.equal((await put({ name: 'omega', newName: 'OMEGA' })).name, 'OMEGA', 'another spelling of its own');
  });

  it('are left alone when one of the people is unknown', async () => {
    const unknown = { name: 'New', addMembers: [ids[0] as string, 'nobody'] };
    await assert.rejects(put(unknown), refusal('directory.person_not_found', 'add_members[1]'));
    await assert.rejects(
      put({ name: 'New', removeMembers: ['n@hospital.example'] }),
      refusal('directory.person_not_found', 'remove_members[0]'),
    );
    assert.deepEqual(await names(''), []);
  });

  it('are found by the beginnings of their words, in order of name, page by page', async () => {
    for (const name of ['Ward 7', 'Night shift', 'Ward 12 nights', '急診 護理師', 'Öffentlichkeit', 'ward 7b'])
      await put({ name });
    assert.deepEqual(await names('ward'), ['Ward 12 nights', 'Ward 7', 'ward 7b']);
    assert.deepEqual(await names('NIGHT wa'), ['Ward 12 nights']);
    assert.deepEqual(await names('護理'), ['急診 護理師']);
    assert.deepEqual(await names('護理師急診'), ['急診 護理師']);
    assert.deepEqual(await names('off'), ['Öffentlichkeit']);
    assert.deepEqual(await names('ight'), []);
    assert.deepEqual(await names('***'), []);
    for (const query of ['', 'w']) {
      const all = await names(query);
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await d.call(directory.listGroups, { query, limit: 2, cursor }, administrator());
        seen.push(...page.groups.map(group => group.name));
        cursor = page.nextCursor;
        assert.ok(page.groups.length === 2 || cursor === '');
      } while (cursor !== '');
      assert.deepEqual(seen, all);
    }
    for (const cursor of ['x', 'AAAA', '!', 'x'.repeat(600)]) {
      await assert.rejects(
        d.call(directory.listGroups, { cursor }, administrator()),
        refusal('directory.cursor_invalid', 'cursor'),
      );
    }
  });

  it('of one person are found by him', async () => {
    for (const name of ['C', 'A', 'B']) await put({ name, addMembers: [ids[0] as string] });
    await put({ name: 'D', addMembers: [ids[1] as string] });
    assert.deepEqual(await names('', ids[0]), ['A', 'B', 'C']);
    assert.deepEqual(await names('b', ids[0]), ['B']);
    assert.deepEqual(await names('', 'nobody'), []);
    const request = { memberId: ids[0] as string, limit: 2 };
    const first = await d.call(directory.listGroups, request, administrator());
    const rest = await d.call(directory.listGroups, { ...request, cursor: first.nextCursor }, administrator());
    assert.deepEqual(
      [first, rest].map(page => page.groups.map(group => group.name)),
      [['A', 'B'], ['C']],
    );
    assert.equal(rest.nextCursor, '');
  });

  it('name their members in order of id, page by page', async () => {
    await put({ name: 'All', addMembers: ids });
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await d.call(directory.listGroupMembers, { group: 'all', limit: 2, cursor }, administrator());
      seen.push(...page.members.map(member => member.id));
      cursor = page.nextCursor;
    } while (cursor !== '');
    assert.deepEqual(seen, [...ids].sort());
    await assert.rejects(members('none'), refusal('directory.group_not_found', 'group'));
    // No id ends within a character.
    await assert.rejects(members(`x${'👩'.repeat(40)}`), refusal('directory.group_not_found', 'group'));
  });

  it('go away by name or id, and their members stay', async () => {
    const { id } = await put({ name: 'All', addMembers: ids });
    await d.call(admin.deleteGroup, { group: 'ALL' }, administrator());
    await assert.rejects(members(id), refusal('directory.group_not_found', 'group'));
    assert.deepEqual(await names('', ids[0]), []);
    const remove = d.call(admin.deleteGroup, { group: id }, administrator());
    await assert.rejects(remove, refusal('directory.group_not_found', 'group'));
    assert.equal((await d.call(directory.getPeople, { ids }, administrator())).people.length, 3);
    const again = await put({ name: 'All' });
    assert.notEqual(again.id, id);
    assert.equal(again.memberCount, 0);
    await d.call(admin.deleteGroup, { group: again.id }, administrator());
  });

  it('take ten thousand and no more, also when many are put in at once', async () => {
    const { id } = await put({ name: 'Crowd' });
    const crowd = Array.from({ length: maxGroupMembers - 2 }, (_, i) => newMembership(id, `p${i}`));
    await d.collection(memberships).insertMany(crowd);
    await put({ name: 'Crowd', addMembers: [ids[0] as string] });
    await assert.rejects(
      put({ name: 'Crowd', addMembers: [ids[1] as string, ids[2] as string] }),
      refusal('directory.group_full', 'add_members'),
    );
    const results = await Promise.allSettled(
      [1, 2].map(i => put({ name: 'Crowd', addMembers: [ids[i] as string] }, d.replica({}, dawdlingStore(d.store, i)))),
    );
    const count = await d.collection(memberships).count('byGroup', { equals: [id, true] }, maxGroupMembers * 2);
    assert.ok(count <= maxGroupMembers, `${count}`);
    for (const r of results) if (r.status === 'rejected') assert.ok(refusal('directory.group_full')(r.reason));
    const { outcomes } = await d.call(
      admin.importPeople,
      {
        rows: ['x', 'y'].map(name => ({
          address: `${name}@hospital.example`,
          displayName: name,
          groups: ['CROWD'],
          setGroups: true,
        })),
      },
      administrator(),
    );
    const left = maxGroupMembers - count;
    assert.deepEqual(
      outcomes.map(o => o.code),
      [left > 0 ? '' : 'directory.group_full', 'directory.group_full'],
    );
    assert.equal(
      (await d.call(directory.getPeople, { addresses: ['y@hospital.example'] }, administrator())).people.length,
      0,
    );
  });

  it('made by many at once are one, and count right', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const name = `Group ${seed}`;
      await Promise.all(
        ids.map((id, i) => put({ name, addMembers: [id] }, d.replica({}, dawdlingStore(d.store, seed * 10 + i)))),
      );
      const { docs } = await d.collection(groups).scan('byName', { limit: 100 });
      const made = docs.filter(doc => doc.name === name);
      assert.deepEqual(
        made.map(doc => doc.memberCount),
        [3],
        `seed ${seed}`,
      );
    }
  });

  it('are whole after a repetition, whichever write failed', async () => {
    for (const applied of [false, true]) {
      for (let nth = 1; nth <= 6; nth++) {
        const name = `Group ${nth} ${applied}`;
        await put({ name, addMembers: [ids[2] as string] });
        const failing = failingStore(d.store);
        failing.fail(nth, { applied });
        const request = { name, description: 'x', addMembers: ids.slice(0, 2), removeMembers: [ids[2] as string] };
        await Promise.allSettled([put(request, d.replica({}, failing.store))]);
        assert.equal((await put(request)).memberCount, 2);
        assert.deepEqual(await members(name), ids.slice(0, 2).sort());
      }
    }
  });
});
