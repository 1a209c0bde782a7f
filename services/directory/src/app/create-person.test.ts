import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { addresses, guards, people } from '../collections.ts';
import { personIdOf } from '../domain/person.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore, failingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;

describe('making a person', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());
  const request = (more: MessageInitShape<typeof admin.createPerson.input> = {}) => ({
    requestId: randomUUID(),
    address: 'alice@hospital.example',
    displayName: 'Alice Chen 陳美玲',
    initialPassword: goodPassword,
    ...more,
  });
  const make = async (what: ReturnType<typeof request>, target = d.module, by = administrator()) =>
    (await d.call(admin.createPerson, what, by, target)).account;

  it('stores and answers what was asked for', async () => {
    const account = await make(
      request({
        department: 'Cardiology',
        title: 'Dr.',
        language: 'zh-tw',
        site: 'taipei',
        passwordChangeRequired: true,
      }),
    );
    const { $typeName, id, ...person } = account?.person ?? { $typeName: '', id: '' };
    assert.ok($typeName);
    assert.deepEqual(person, {
      displayName: 'Alice Chen 陳美玲',
      primaryAddress: 'alice@hospital.example',
      addresses: ['alice@hospital.example'],
      department: 'Cardiology',
      title: 'Dr.',
      language: 'zh-TW',
      site: 'taipei',
      managerId: '',
      photoVersion: '',
    });
    assert.match(id, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(account?.createdMs, BigInt(d.clock.now()));
    assert.equal((await d.signIn('alice@hospital.example')).passwordChangeRequired, true);
    assert.deepEqual(
      d.changes.map(c => c.personId),
      [id],
    );
  });

  it('again under the same request id gives the same person', async () => {
    const asked = request();
    const first = await make(asked);
    const again = await make({
      ...asked,
      requestId: asked.requestId.toUpperCase(),
      initialPassword: 'another one entirely',
    });
    assert.equal(again?.person?.id, first?.person?.id);
    assert.ok((await d.signIn('alice@hospital.example')).tokens, 'the first password stays');
    assert.equal((await make({ ...asked, requestId: asked.requestId }))?.revision, first?.revision);
    assert.equal(d.log.filter(l => l.event === 'directory.person_created').length, 1);
  });

  it('under the id of another request is refused', async () => {
    const asked = request();
    await make(asked);
    const other = { ...asked, displayName: 'Bob' };
    await assert.rejects(make(other), refusal('directory.request_reused', 'request_id'));
  });

  it('with an address that is another’s is refused, whatever its spelling', async () => {
    await make(request());
    await assert.rejects(
      make(request({ address: ' ALICE@Hospital.example' })),
      refusal('directory.address_taken', 'address'),
    );
    await assert.rejects(
      make(request({ address: 'alice@elsewhere.example' })),
      refusal('directory.domain_foreign', 'address'),
    );
    assert.ok(await make(request({ address: 'alice@klinik-süd.example' })), 'every domain has its own addresses');
  });

  it('by twenty at once with one address makes exactly one', async () => {
    const targets = [1, 2, 3].map(seed => d.replica({}, dawdlingStore(d.store, seed)));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => make(request({ displayName: `Number ${i}` }), targets[i % 3])),
    );
    const made = results.filter(r => r.status === 'fulfilled');
    assert.equal(made.length, 1);
    for (const r of results) if (r.status === 'rejected') assert.ok(refusal('directory.address_taken')(r.reason));
    const { docs } = await d.collection(people).scan('byKind', { equals: ['person'], limit: 100 });
    assert.deepEqual(
      docs.map(doc => doc._id),
      [made[0]?.value?.person?.id],
    );
    const claim = await d.collection(addresses).get('alice@hospital.example');
    assert.equal(claim?.personId, docs[0]?._id);
  });

  it('by twenty at once with one request makes one, and all get him', async () => {
    const asked = request({ roles: [Role.ADMINISTRATOR] });
    const targets = [4, 5, 6].map(seed => d.replica({}, dawdlingStore(d.store, seed)));
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => make(asked, targets[i % 3])));
    assert.deepEqual([...new Set(made.map(a => a?.person?.id))], [personIdOf(asked.requestId)]);
    const guard = await d.collection(guards).get('administrators');
    assert.equal(guard?.members.length, 1);
  });

  it('cut off at any write is finished by repeating it, and makes no second one', async () => {
    for (const applied of [false, true]) {
      for (let nth = 1; nth <= 4; nth++) {
        const failing = failingStore(d.store);
        const target = d.replica({}, failing.store);
        const asked = request({ address: `a${nth}${applied}@hospital.example`, roles: [Role.ADMINISTRATOR] });
        failing.fail(nth, { applied });
        const code = applied ? 'directory.outcome_unknown' : 'directory.store_unavailable';
        await assert.rejects(make(asked, target), refusal(code), `write ${nth}`);
        failing.fail(0, { applied });
        const account = await make(asked, target);
        const id = personIdOf(asked.requestId);
        assert.equal(account?.person?.id, id);
        assert.equal((await d.collection(addresses).get(asked.address))?.personId, id);
        assert.ok((await d.collection(guards).get('administrators'))?.members.some(m => m.id === id));
        assert.ok((await d.signIn(asked.address)).tokens);
      }
      // No step was left out: a creation takes four writes.
      const failing = failingStore(d.store);
      failing.fail(0, { applied });
      await make(
        request({ address: `count${applied}@hospital.example`, roles: [Role.ADMINISTRATOR] }),
        d.replica({}, failing.store),
      );
      assert.equal(failing.writes, 4);
    }
  });

  it('cut off and never repeated leaves the address to others after a while, not before', async () => {
    const failing = failingStore(d.store);
    failing.fail(3, { applied: false });
    const asked = request({ roles: [Role.ADMINISTRATOR] });
    await assert.rejects(make(asked, d.replica({}, failing.store)), refusal('directory.store_unavailable'));
    await assert.rejects(make(request()), refusal('directory.address_taken'));
    const found = await d.call(
      DirectoryService.method.getPeople,
      { addresses: ['alice@hospital.example'] },
      administrator(),
    );
    assert.deepEqual(found.people, []);
    await d.clock.advance(600_000);
    const bob = await make(request({ displayName: 'Bob' }));
    assert.equal((await d.collection(addresses).get('alice@hospital.example'))?.personId, bob?.person?.id);
    assert.ok(d.log.some(l => l.event === 'directory.address.taken_over'));
    await assert.rejects(make(asked), refusal('directory.address_taken'), 'the first one comes too late');
  });

  it('held up between claim and use gives up, as the claim may be another’s by then', async () => {
    const making = make(
      request(),
      d.replica(
        {},
        {
          ...d.store,
          now: async () => {
            await d.clock.advance(300_001);
            return d.clock.now();
          },
          collection: spec => d.store.collection(spec),
          migrate: specs => d.store.migrate(specs),
          close: () => d.store.close(),
          connected: true,
        },
      ),
    );
    await assert.rejects(making, refusal('directory.busy'));
  });

  it('with roles needs an administrator', async () => {
    const by = administrator([Role.USER_ADMINISTRATOR]);
    await assert.rejects(
      make(request({ roles: [Role.VIEWER] }), d.module, by),
      refusal('directory.roles_need_administrator', 'roles'),
    );
    assert.ok(await make(request(), d.module, by));
  });
});

describe('the installation itself', () => {
  it('makes its first administrator once and leaves his password alone', async () => {
    const d = await startDirectory();
    const command = { address: 'Root@hospital.example', displayName: 'Root', password: goodPassword };
    const first = await d.module.ensureAdministrator(command);
    assert.equal(first.created, true);
    const again = await d.module.ensureAdministrator({ ...command, password: 'a different password' });
    assert.deepEqual(again, { personId: first.personId, created: false });
    assert.deepEqual((await d.signIn('root@hospital.example')).roles, [Role.ADMINISTRATOR]);
    await d.close();
  });

  it('gives the role to somebody who is there, beside those he has', async () => {
    const d = await startDirectory();
    const id = await d.person('alice@hospital.example', { roles: [Role.AUDITOR] });
    await d.module.ensureAdministrator({ address: 'alice@hospital.example', displayName: 'x', password: undefined });
    const { account } = await d.call(admin.getAccount, { person: id }, administrator());
    assert.deepEqual(account?.roles, [Role.ADMINISTRATOR, Role.AUDITOR]);
    assert.equal(account?.person?.displayName, 'alice');
    await d.close();
  });

  it('makes people with several addresses, twice at once as well', async () => {
    const d = await startDirectory();
    const command = {
      address: 'bob@hospital.example',
      otherAddresses: ['b@hospital.example'],
      displayName: 'Bob',
      password: goodPassword,
    };
    const [a, b] = await Promise.all([d.module.ensurePerson(command), d.module.ensurePerson(command)]);
    assert.equal(a.personId, b.personId);
    assert.equal((await d.signIn('b@hospital.example')).person?.id, a.personId);
    await assert.rejects(d.module.ensurePerson({ ...command, address: 'bob' }), refusal('directory.address_invalid'));
    await assert.rejects(
      d.module.ensurePerson({ ...command, address: 'c@hospital.example', otherAddresses: [], password: 'short' }),
      refusal('directory.password_short'),
    );
    await d.close();
  });
});
