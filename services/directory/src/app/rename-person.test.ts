import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { administrator, type Directory, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore, failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;

describe('renaming a person', () => {
  let d: Directory;
  let id: string;
  beforeEach(async () => {
    d = await startDirectory();
    id = await d.person('alice@hospital.example', { name: 'Alice Chen' });
  });
  afterEach(() => d.close());
  const rename = async (what: { person?: string; displayName?: string; primaryAddress?: string }, target = d.module) =>
    (await d.call(admin.renamePerson, { person: id, ...what }, administrator(), target)).account;
  const whose = async (address: string) =>
    (await d.call(DirectoryService.method.getPeople, { addresses: [address] }, administrator())).people[0]?.id;

  it('keeps the id, and the former address keeps leading to him', async () => {
    const account = await rename({ displayName: 'Alice Wu', primaryAddress: 'alice.wu@hospital.example' });
    assert.equal(account?.person?.id, id);
    assert.equal(account?.person?.displayName, 'Alice Wu');
    assert.deepEqual(account?.person?.addresses, ['alice.wu@hospital.example']);
    assert.deepEqual(
      account?.formerAddresses.map(f => [f.address, f.untilMs]),
      [['alice@hospital.example', BigInt(d.clock.now())]],
    );
    for (const address of ['alice@hospital.example', 'Alice.Wu@hospital.example'])
      assert.equal(await whose(address), id);
    const byOld = await d.call(admin.getAccount, { person: 'alice@hospital.example' }, administrator());
    assert.equal(byOld.account?.person?.id, id);
    const event = d.changes.at(-1);
    assert.equal(event?.personId, id);
    assert.ok((event?.event.version ?? 0n) > (d.changes[0]?.event.version ?? 0n));
  });

  it('never frees a former address for somebody else, but gives it back to him', async () => {
    await rename({ primaryAddress: 'alice.wu@hospital.example' });
    await d.clock.advance(366 * 86_400_000);
    await assert.rejects(d.person('alice@hospital.example'), refusal('directory.address_taken'));
    const bob = await d.person('bob@hospital.example');
    await assert.rejects(
      rename({ person: bob, primaryAddress: 'alice@hospital.example' }),
      refusal('directory.address_taken', 'primary_address'),
    );
    const back = await rename({ primaryAddress: 'alice@hospital.example' });
    assert.deepEqual(back?.person?.addresses, ['alice@hospital.example']);
    assert.deepEqual(
      back?.formerAddresses.map(f => f.address),
      ['alice.wu@hospital.example'],
    );
  });

  it('again changes nothing more', async () => {
    const what = { displayName: 'Alice Wu', primaryAddress: 'alice.wu@hospital.example' };
    const first = await rename(what);
    const again = await rename(what);
    assert.equal(again?.revision, first?.revision);
    assert.equal(d.log.filter(l => l.event === 'directory.person_renamed').length, 1);
    assert.equal((await rename({}))?.revision, first?.revision);
  });

  it('cut off at any write is finished by repeating it', async () => {
    for (const applied of [false, true]) {
      for (const nth of [1, 2]) {
        const failing = failingStore(d.store);
        const target = d.replica({}, failing.store);
        const what = { primaryAddress: `alice${nth}${applied}@hospital.example` };
        failing.fail(nth, { applied });
        await assert.rejects(
          rename(what, target),
          refusal(applied ? 'directory.outcome_unknown' : 'directory.store_unavailable'),
        );
        failing.fail(0, { applied });
        assert.equal((await rename(what, target))?.person?.primaryAddress, what.primaryAddress);
        assert.equal(await whose(what.primaryAddress), id);
        assert.equal(await whose('alice@hospital.example'), id);
      }
    }
  });

  it('of two people at once to one address succeeds for one', async () => {
    const bob = await d.person('bob@hospital.example');
    const targets = [1, 2].map(seed => d.replica({}, dawdlingStore(d.store, seed)));
    const results = await Promise.allSettled([
      rename({ person: id, primaryAddress: 'chief@hospital.example' }, targets[0]),
      rename({ person: bob, primaryAddress: 'chief@hospital.example' }, targets[1]),
    ]);
    assert.deepEqual(results.map(r => r.status).sort(), ['fulfilled', 'rejected']);
    const winner = results.find(r => r.status === 'fulfilled') as PromiseFulfilledResult<
      Awaited<ReturnType<typeof rename>>
    >;
    assert.equal(await whose('chief@hospital.example'), winner.value?.person?.id);
  });

  it('is found by the new name and not by the old one', async () => {
    await rename({ displayName: 'Alice Wu', primaryAddress: 'alice.wu@hospital.example' });
    const search = async (query: string) =>
      (await d.call(DirectoryService.method.searchPeople, { query }, administrator())).people.map(p => p.id);
    assert.deepEqual(await search('wu'), [id]);
    assert.deepEqual(await search('chen'), []);
  });

  it('of somebody with a role needs an administrator', async () => {
    const viewer = await d.person('viewer@hospital.example', { roles: [Role.VIEWER] });
    const by = administrator([Role.USER_ADMINISTRATOR]);
    await assert.rejects(
      d.call(admin.renamePerson, { person: viewer, displayName: 'x' }, by),
      refusal('directory.target_has_roles', 'person'),
    );
    await d.call(admin.renamePerson, { person: id, displayName: 'x' }, by);
  });
});
