import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { administrator, type Directory, refusal, startDirectory } from '../testing/harness.ts';

const directory = DirectoryService.method;

describe('the directory', () => {
  let d: Directory;
  const ids: Record<string, string> = {};
  before(async () => {
    d = await startDirectory({ searchScanLimit: 30 });
    const names: readonly (readonly [string, string])[] = [
      ['alice.chen', 'Alice Chen'],
      ['bob', 'Bob Chen'],
      ['ming', '王小明'],
      ['mei', '王美玲 (Wang Meiling)'],
      ['jose', 'José Núñez'],
      ['gone', 'Gone Chen'],
    ];
    for (const [user, name] of names) ids[user] = await d.person(`${user}@hospital.example`, { name });
    const person = ids.gone as string;
    await d.call(
      DirectoryAdminService.method.setAccountState,
      { person, state: AccountState.DISABLED },
      administrator(),
    );
  });
  after(() => d.close());

  const search = async (query: string, limit = 0) => {
    const found = await d.call(directory.searchPeople, { query, limit }, administrator());
    return { names: found.people.map(p => p.displayName), truncated: found.truncated };
  };

  it('finds people by the words of names and addresses, in order of name, without those who are disabled', async () => {
    assert.deepEqual(await search('chen'), { names: ['Alice Chen', 'Bob Chen'], truncated: false });
    assert.deepEqual((await search('chen ALI')).names, ['Alice Chen']);
    assert.deepEqual((await search('alice.chen@hos')).names, ['Alice Chen']);
    assert.deepEqual((await search('nunez jo')).names, ['José Núñez']);
    assert.deepEqual(await search('nobody at all'), { names: [], truncated: false });
    assert.deepEqual(await search('***'), { names: [], truncated: false });
  });

  it('finds any part of Chinese names in either order', async () => {
    for (const query of ['小明', '王小明', '小明王', '明 王'])
      assert.deepEqual((await search(query)).names, ['王小明'], query);
    assert.equal((await search('王')).names.length, 2);
    assert.deepEqual((await search('王 wang')).names, ['王美玲 (Wang Meiling)']);
  });

  it('says when there is more', async () => {
    assert.deepEqual(await search('chen', 1), { names: ['Alice Chen'], truncated: true });
    assert.deepEqual((await search('chen', 2)).truncated, false);
  });

  it('looks at a bounded number of entries and finds rare words among frequent ones', async () => {
    const own = await startDirectory({ searchScanLimit: 30 });
    for (let i = 0; i < 40; i++) {
      const displayName = i === 33 ? 'Common Rarely' : `Common Name${i}`;
      await own.module.ensurePerson({ address: `c${i}@hospital.example`, displayName, password: undefined });
    }
    const find = (query: string) => own.call(directory.searchPeople, { query }, administrator());
    const rare = await find('common rarely');
    assert.deepEqual([rare.people.length, rare.truncated], [1, false]);
    const common = await find('common');
    assert.deepEqual([common.people.length, common.truncated], [20, true]);
    await own.close();
  });

  it('gives entries by id and by address, each once, and leaves out what is nobody’s', async () => {
    const found = await d.call(
      directory.getPeople,
      {
        ids: [ids.bob as string, 'nobody'],
        addresses: ['BOB@hospital.example', 'ming@hospital.example', 'no@hospital.example'],
      },
      administrator(),
    );
    assert.deepEqual(found.people.map(p => p.id).sort(), [ids.bob, ids.ming].sort());
    assert.deepEqual((await d.call(directory.getPeople, {}, administrator())).people, []);
  });

  it('tells everybody who he is, with the roles he holds now', async () => {
    const { tokens } = await d.signIn('bob@hospital.example');
    const context = await d.as(tokens?.accessToken as string);
    const person = ids.bob as string;
    await d.call(DirectoryAdminService.method.setRoles, { person, roles: [Role.VIEWER] }, administrator());
    const me = await d.call(directory.getMe, {}, context);
    assert.deepEqual([me.person?.id, me.roles], [ids.bob, [Role.VIEWER]]);
    await d.call(DirectoryAdminService.method.setRoles, { person, roles: [] }, administrator());
  });

  it('is for signed-in people only', async () => {
    await assert.rejects(d.call(directory.getMe, {}), refusal('directory.person_required'));
    await assert.rejects(d.call(directory.searchPeople, { query: 'x' }), refusal('directory.person_required'));
    await assert.rejects(d.call(directory.getPeople, {}), refusal('directory.person_required'));
  });

  it('publishes the keys that verify tokens', async () => {
    const { jwksJson, maxAgeSeconds } = await d.call(AuthService.method.getKeySet, {});
    assert.equal(jwksJson, d.keyRing.jwksJson());
    assert.ok(!jwksJson.includes('"d"'));
    assert.equal(maxAgeSeconds, 300);
  });

  it('is ready while its database is', async () => {
    assert.ok(d.health.ready().ok);
    await d.module.stop();
    await d.module.stop();
    assert.deepEqual(Object.keys(d.health.ready().checks), []);
    await d.module.start();
    assert.ok(d.health.ready().checks['directory.store']?.ok);
  });
});
