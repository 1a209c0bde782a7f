import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { PolicyScope } from '@parley/contracts/directory/v1/policy';
import { policies, signIns } from '../collections.ts';
import { administrator, type Directory, refusal, startDirectory } from '../testing/harness.ts';
import { countingStore, dawdlingStore } from '../testing/stores.ts';

const policy = PolicyAdminService.method;
const internal = DirectoryInternalService.method;
const on = { archiveInternal: true, archiveExternal: true, critical: true };
const plain = (p: typeof on | undefined) =>
  p && { archiveInternal: p.archiveInternal, archiveExternal: p.archiveExternal, critical: p.critical };

describe('archiving policies', () => {
  let d: Directory;
  let alice: string;
  let bob: string;
  beforeEach(async () => {
    d = await startDirectory();
    alice = await d.person('alice@hospital.example');
    bob = await d.person('bob@hospital.example');
    d.changes.length = 0;
  });
  afterEach(() => d.close());
  const set = async (person: string, p = on, target = d.module) =>
    (await d.call(policy.setArchivingPolicy, { person, policy: p }, administrator(), target)).effective;
  const reset = async (person: string) =>
    (await d.call(policy.resetArchivingPolicy, { person }, administrator())).effective;
  const effective = async (person: string) =>
    (await d.call(policy.getEffectiveArchivingPolicy, { person }, administrator())).effective;
  const principal = async (id: string) => (await d.call(internal.getPrincipals, { ids: [id] })).principals[0];

  it('come from the configuration until somebody sets one', async () => {
    const regulated = d.replica({ archiveInternal: true, archiveCritical: true });
    const answer = await d.call(policy.getEffectiveArchivingPolicy, { person: alice }, administrator(), regulated);
    assert.deepEqual(plain(answer.effective?.policy), {
      archiveInternal: true,
      archiveExternal: false,
      critical: true,
    });
    assert.equal(answer.effective?.scope, PolicyScope.GLOBAL);
    assert.equal(answer.effective?.version, 0n);
  });

  it('of a person beat the global one, until they are reset', async () => {
    const off = { archiveInternal: false, archiveExternal: true, critical: false };
    await set('');
    assert.deepEqual(plain((await effective(alice))?.policy), on);
    const own = await set('alice@hospital.example', off);
    assert.equal(own?.scope, PolicyScope.PERSON);
    assert.deepEqual(plain((await principal(alice))?.archiving?.policy), off);
    assert.deepEqual(plain((await principal(bob))?.archiving?.policy), on);
    assert.equal((await reset(alice))?.scope, PolicyScope.GLOBAL);
    assert.deepEqual(plain((await principal(alice))?.archiving?.policy), on);
    await reset('');
    assert.deepEqual(plain((await effective(''))?.policy), {
      archiveInternal: false,
      archiveExternal: false,
      critical: false,
    });
  });

  it('are counted where they say something else than the global one', async () => {
    const own = async (person = '') =>
      (await d.call(policy.getEffectiveArchivingPolicy, { person }, administrator())).peopleWithOwnPolicy;
    await set('');
    assert.equal(await own(), 0n);
    await set(alice, { ...on, critical: false });
    await set(bob);
    assert.equal(await own(), 1n);
    assert.equal(await own(bob), 0n); // asked for everybody only
    await set('', { ...on, archiveExternal: false });
    assert.equal(await own(), 2n);
    await reset(alice);
    assert.equal(await own(), 1n);
  });

  it('announce every change with a version from which answers are fresh', async () => {
    const before = (await principal(alice))?.version as bigint;
    await set(alice);
    assert.equal(d.changes[0]?.personId, alice);
    const after = (await principal(alice))?.version as bigint;
    assert.ok(after > before && after === d.changes[0]?.event.version);

    await set('');
    assert.equal(d.changes[1]?.personId, '_global');
    for (const id of [alice, bob]) {
      assert.ok(((await principal(id))?.version as bigint) >= (d.changes[1]?.event.version as bigint));
    }
    await reset(alice);
    assert.ok(((await principal(alice))?.version as bigint) > (d.changes[1]?.event.version as bigint));
  });

  it('give versions that grow with every change of anything', async () => {
    let last = 0n;
    const admin = DirectoryAdminService.method;
    const steps: (() => Promise<unknown>)[] = [
      () => set(''),
      () => set(alice),
      () => d.call(admin.renamePerson, { person: alice, displayName: 'Alice W' }, administrator()),
      () => reset(alice),
      () => d.call(admin.setAccountState, { person: alice, state: AccountState.DISABLED }, administrator()),
      () => reset(''),
      () => d.call(admin.setAccountState, { person: alice, state: AccountState.ENABLED }, administrator()),
      () => set(alice, { ...on, critical: false }),
    ];
    for (const step of steps) {
      await d.clock.advance(1);
      await step();
      const version = (await principal(alice))?.version as bigint;
      assert.ok(version > last, `${step}: ${version} after ${last}`);
      last = version;
    }
  });

  it('that are set already stay, with their version', async () => {
    const first = await set(alice);
    await d.clock.advance(1000);
    assert.equal((await set(alice))?.version, first?.version);
    assert.equal(d.log.filter(l => l.event === 'directory.policy_changed').length, 1);
  });

  it('set by many at once end as one of them', async () => {
    const targets = [1, 2, 3, 4].map(seed => d.replica({}, dawdlingStore(d.store, seed)));
    await Promise.all(targets.map((target, i) => set('', { ...on, critical: i % 2 === 0 }, target)));
    const stored = await d.collection(policies).get('global');
    assert.ok((stored?._rev ?? 0) >= 2);
    assert.equal((await effective(''))?.version, BigInt(stored?.version ?? 0));
  });

  it('of a site lie between, until they are reset', async () => {
    const c = 'c@hospital.example';
    await d.module.ensurePerson({ address: c, displayName: 'C', password: undefined, site: 'taipei' });
    const ofSite = { site: 'taipei' };
    const { effective: set } = await d.call(
      policy.setArchivingPolicy,
      { ...ofSite, policy: { ...on, critical: false } },
      administrator(),
    );
    assert.equal(set?.scope, PolicyScope.SITE);
    assert.equal((await effective(c))?.scope, PolicyScope.SITE);
    assert.equal((await effective(c))?.policy?.critical, false);
    assert.equal((await effective(alice))?.scope, PolicyScope.GLOBAL);
    const shown = await d.call(policy.getEffectiveArchivingPolicy, ofSite, administrator());
    assert.equal(shown.effective?.scope, PolicyScope.SITE);
    await d.call(policy.resetArchivingPolicy, ofSite, administrator());
    assert.equal((await effective(c))?.scope, PolicyScope.GLOBAL);
  });

  it('need a policy and somebody they are for', async () => {
    await assert.rejects(
      d.call(policy.setArchivingPolicy, {}, administrator()),
      refusal('directory.field_missing', 'policy'),
    );
    await assert.rejects(set('nobody@hospital.example'), refusal('directory.person_not_found', 'person'));
    for (const request of [{ person: alice, site: 'taipei' }, { site: 'a b' }])
      await assert.rejects(
        d.call(policy.setArchivingPolicy, { ...request, policy: on }, administrator()),
        refusal('directory.field_invalid', 'site'),
      );
  });
});

describe('principals', () => {
  it('are read by three calls of the store, however many are asked for', async () => {
    const counting: { reads: string[] } = { reads: [] };
    const d = await startDirectory({}, store => {
      const counted = countingStore(store);
      counting.reads = counted.reads;
      return counted.store;
    });
    const ids = [];
    for (let i = 0; i < 60; i++) ids.push(await d.person(`p${i}@hospital.example`));
    counting.reads.length = 0;
    const { principals } = await d.call(internal.getPrincipals, { ids: [...ids, 'nobody', ids[0] as string] });
    assert.deepEqual([...new Set(principals.map(p => p.id))].sort(), [...ids].sort());
    assert.equal(principals.length, 60);
    const expected = ['directory_people.getMany', 'directory_accounts.getMany', 'directory_policies.getMany'];
    assert.deepEqual(counting.reads, expected);
    const [first] = principals;
    assert.ok(
      first?.enabled && first.internal && first.displayName && first.primaryAddress.endsWith('@hospital.example'),
    );
    await d.close();
  });
});

describe('checking sign-ins', () => {
  it('takes ten thousand in few reads and names those that are over', async () => {
    const counting: { reads: string[] } = { reads: [] };
    const d = await startDirectory({}, store => {
      const counted = countingStore(store);
      counting.reads = counted.reads;
      return counted.store;
    });
    const alice = await d.person('alice@hospital.example');
    await d.signIn('alice@hospital.example');
    const { docs } = await d.collection(signIns).scan('byPerson', { equals: [alice], limit: 1 });
    const [model] = docs;
    assert.ok(model);
    const { _rev, ...copy } = model;
    assert.ok(_rev);
    const now = d.clock.now();
    const many = Array.from({ length: 9998 }, (_, i) => ({
      ...copy,
      _id: `s${i}`,
      ...(i % 100 === 1 ? { endedMs: now } : {}),
      ...(i % 100 === 2 ? { idleEndMs: now } : {}),
      ...(i % 100 === 3 ? { epoch: 7 } : {}),
    }));
    await d.collection(signIns).insertMany(many);
    counting.reads.length = 0;
    const signInIds = [...many.map(doc => doc._id), model._id, 'forgotten'];
    const { ended } = await d.call(internal.checkSignIns, { signInIds });
    const expected = many.map(doc => doc._id).filter(id => [1, 2, 3].includes(Number(id.slice(1)) % 100));
    assert.deepEqual([...ended].sort(), [...expected, 'forgotten'].sort());
    assert.equal(counting.reads.length, 11);
    await d.call(AuthService.method.getKeySet, {});
    await d.close();
  });
});
