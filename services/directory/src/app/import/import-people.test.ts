import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { DirectoryAdminService, ImportAction, type ImportRowSchema } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { people } from '../../collections.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../../testing/harness.ts';
import { jpeg, png, webp } from '../../testing/pictures.ts';
import { countingStore, dawdlingStore, failingStore, wrapStore } from '../../testing/stores.ts';

const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;
const { CREATED, UPDATED, UNCHANGED, REFUSED } = ImportAction;
type Row = MessageInitShape<typeof ImportRowSchema>;

describe('people from a file', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());

  const load = async (rows: Row[], by = administrator(), target = d.module) =>
    (await d.call(admin.importPeople, { rows }, by, target)).outcomes;
  const one = async (row: Row, by = administrator()) => (await load([row], by))[0];
  const account = async (person: string) => {
    const found = (await d.call(admin.getAccount, { person }, administrator())).account;
    assert.ok(found?.person);
    return { ...found, person: found.person };
  };
  const mail = (name: string) => `${name}@hospital.example`;
  const ada: Row = { externalId: 'E1', address: mail('ada'), displayName: 'Ada' };

  it('are made with all that the file says, and stay as they are when it comes again', async () => {
    const rows: Row[] = [
      {
        ...ada,
        otherAddresses: ['Ada.L@Hospital.example', 'ada@klinik-süd.example'],
        department: 'Cardiology',
        title: 'Dr.',
        language: 'zh-tw',
        site: 'taipei',
        manager: mail('bob'),
        groups: ['All', 'Heart', 'ＡＬＬ'],
        setGroups: true,
        photo: png(64, 64),
        initialPassword: goodPassword,
      },
      {
        externalId: 'E2',
        address: mail('bob'),
        displayName: '王小明',
        groups: ['ａｌｌ'],
        setGroups: true,
        enabled: false,
      },
    ];
    const made = await load(rows);
    assert.deepEqual(
      made.map(o => [o.action, o.changed, o.code]),
      [
        [CREATED, [], ''],
        [CREATED, [], ''],
      ],
    );
    const { person, ...rest } = await account(mail('ada'));
    assert.equal(person.id, made[0]?.personId);
    assert.deepEqual(person.addresses, [mail('ada'), mail('ada.l'), 'ada@xn--klinik-sd-x9a.example']);
    assert.deepEqual(
      [person.department, person.title, person.language, person.site],
      ['Cardiology', 'Dr.', 'zh-TW', 'taipei'],
    );
    assert.equal(person.managerId, made[1]?.personId);
    assert.deepEqual([rest.externalId, rest.hasPassword, rest.state], ['E1', true, AccountState.ENABLED]);
    const bob = await account(mail('bob'));
    assert.deepEqual([bob.hasPassword, bob.state], [false, AccountState.DISABLED]);
    assert.equal((await d.signIn(mail('ada'))).passwordChangeRequired, true);
    const photo = await d.call(directory.getPhoto, { personId: person.id }, administrator());
    assert.deepEqual([photo.mediaType, photo.version], ['image/png', person.photoVersion]);
    assert.deepEqual(Buffer.from(photo.data), Buffer.from(png(64, 64)));
    const { groups } = await d.call(directory.listGroups, {}, administrator());
    assert.deepEqual(
      groups.map(g => [g.name, g.memberCount]),
      [
        ['All', 2],
        ['Heart', 1],
      ],
    );

    d.changes.length = 0;
    const failing = failingStore(d.store);
    const again = await load(rows, administrator(), d.replica({}, failing.store));
    assert.deepEqual(
      again.map(o => [o.action, o.changed, o.personId]),
      made.map(o => [UNCHANGED, [], o.personId]),
    );
    assert.deepEqual([failing.writes, d.changes], [0, []]);
  });

  it('keep what the file does not say, and lose what it says is empty', async () => {
    const full: Row = {
      ...ada,
      department: 'Cardiology',
      title: 'Dr.',
      language: 'en',
      site: 'taipei',
      photo: jpeg(9, 9),
    };
    await load([
      { externalId: 'E2', address: mail('bob'), displayName: 'Bob' },
      { ...full, manager: 'E2', groups: ['G'], setGroups: true },
    ]);
    assert.equal((await one({ address: mail('ada') }))?.action, UNCHANGED);
    const { person } = await account(mail('ada'));
    assert.deepEqual(
      [person.department, person.title, person.language, person.site],
      ['Cardiology', 'Dr.', 'en', 'taipei'],
    );
    const emptied = await one({
      ...{ address: mail('ada'), department: '', title: '', language: '', site: '', manager: '' },
      ...{ photo: new Uint8Array(), groups: [], setGroups: true },
    });
    assert.equal(emptied?.action, UPDATED);
    assert.deepEqual(emptied.changed, ['department', 'title', 'language', 'site', 'manager', 'photo', 'groups']);
    const { person: bare } = await account(mail('ada'));
    assert.deepEqual(
      [bare.department, bare.title, bare.language, bare.site, bare.managerId, bare.photoVersion],
      Array(6).fill(''),
    );
    await assert.rejects(
      d.call(directory.getPhoto, { personId: bare.id }, administrator()),
      refusal('directory.no_photo', 'person_id'),
    );
    assert.deepEqual((await d.call(directory.listGroups, { memberId: bare.id }, administrator())).groups, []);
  });

  it('are found by external id first, so that another address is a rename', async () => {
    const made = await one({ ...ada, otherAddresses: [mail('a2')] });
    d.changes.length = 0;
    const moved = await one({ externalId: 'E1', address: mail('ada.new'), displayName: 'Ada New' });
    assert.deepEqual(
      [moved?.action, moved?.changed, moved?.personId],
      [UPDATED, ['address', 'display_name'], made?.personId],
    );
    const { person, formerAddresses } = await account(mail('ada'));
    assert.deepEqual(person.addresses, [mail('ada.new'), mail('a2')]);
    assert.deepEqual(
      formerAddresses.map(f => f.address),
      [mail('ada')],
    );
    assert.deepEqual(
      d.changes.map(c => c.personId),
      [made?.personId],
    );
    const query = 'ada.new';
    assert.equal((await d.call(directory.searchPeople, { query }, administrator())).people.length, 1);
    const back = await one({ externalId: 'E1', address: mail('ada'), otherAddresses: [mail('ada.new')] });
    assert.deepEqual(back?.changed, ['address']);
    const { person: now, formerAddresses: former } = await account(mail('ada'));
    assert.deepEqual([now.addresses, former], [[mail('ada'), mail('ada.new'), mail('a2')], []]);
  });

  it('are found by address when they came otherwise, and are known by the external id from then on', async () => {
    const id = await d.person(mail('ada'), { name: 'Ada' });
    assert.deepEqual((await one(ada))?.changed, ['external_id']);
    assert.equal((await one({ externalId: 'E1', address: mail('ada2') }))?.personId, id);
    const other = await one({ externalId: 'E9', address: mail('ada2') });
    assert.deepEqual([other?.code, other?.field], ['directory.external_id_conflict', 'external_id']);
    assert.equal((await one({ address: mail('ada2') }))?.action, UNCHANGED);
  });

  it('are refused one by one, with code, field and reason, and the others go on', async () => {
    await load([ada]);
    await one({ externalId: 'E1', address: mail('ada.now') });
    await d.person(mail('zoe'), { name: 'Zoe' });
    const gone = await d.person(mail('gone'));
    await d.call(admin.deletePerson, { person: gone }, administrator());
    const fine = { displayName: 'N' };
    const bad: readonly (readonly [Row, string, string])[] = [
      [{ ...fine }, 'directory.field_missing', 'address'],
      [{ ...fine, address: 'nonsense' }, 'directory.address_invalid', 'address'],
      [{ ...fine, address: 'n@elsewhere.example' }, 'directory.domain_foreign', 'address'],
      [{ ...fine, address: `${'x'.repeat(400)}@hospital.example` }, 'directory.too_long', 'address'],
      [{ ...fine, address: mail('n'), otherAddresses: ['x'] }, 'directory.address_invalid', 'other_addresses'],
      [{ ...fine, address: mail('n'), otherAddresses: [mail('zoe')] }, 'directory.address_taken', 'other_addresses'],
      [
        { ...fine, address: mail('n'), otherAddresses: Array.from({ length: 32 }, (_, i) => mail(`o${i}`)) },
        'directory.too_many',
        'other_addresses',
      ],
      [{ ...fine, address: mail('ada') }, 'directory.address_taken', 'address'],
      [{ ...fine, externalId: 'E1', address: mail('zoe') }, 'directory.address_taken', 'address'],
      [{ ...fine, externalId: 'x'.repeat(129), address: mail('n') }, 'directory.too_long', 'external_id'],
      [{ ...fine, externalId: 'a\u0000b', address: mail('n') }, 'directory.field_invalid', 'external_id'],
      [{ address: mail('n') }, 'directory.field_missing', 'display_name'],
      [{ address: mail('n'), displayName: '' }, 'directory.field_missing', 'display_name'],
      [{ address: mail('zoe'), displayName: ' ' }, 'directory.field_missing', 'display_name'],
      [{ address: mail('n'), displayName: 'x'.repeat(257) }, 'directory.too_long', 'display_name'],
      [{ address: mail('n'), displayName: 'a\u202eb' }, 'directory.field_invalid', 'display_name'],
      [{ ...fine, address: mail('n'), department: 'x'.repeat(257) }, 'directory.too_long', 'department'],
      [{ ...fine, address: mail('n'), title: 'x'.repeat(257) }, 'directory.too_long', 'title'],
      [{ ...fine, address: mail('n'), language: 'x_y' }, 'directory.field_invalid', 'language'],
      [{ ...fine, address: mail('n'), site: 'a b' }, 'directory.field_invalid', 'site'],
      [{ ...fine, address: mail('n'), manager: mail('nobody') }, 'directory.manager_not_found', 'manager'],
      [{ ...fine, address: mail('n'), manager: 'nobody' }, 'directory.manager_not_found', 'manager'],
      [{ ...fine, address: mail('n'), manager: 'é'.repeat(320) }, 'directory.manager_not_found', 'manager'],
      [{ ...fine, address: mail('n'), manager: 'x'.repeat(321) }, 'directory.too_long', 'manager'],
      [{ ...fine, address: mail('n'), manager: mail('gone') }, 'directory.manager_not_found', 'manager'],
      [{ ...fine, address: mail('n'), manager: mail('n') }, 'directory.manager_self', 'manager'],
      [{ externalId: 'E1', address: mail('ada.now'), manager: mail('ada') }, 'directory.manager_self', 'manager'],
      [{ ...fine, address: mail('n'), setGroups: true, groups: [''] }, 'directory.field_missing', 'groups'],
      [{ ...fine, address: mail('n'), setGroups: true, groups: Array(65).fill('g') }, 'directory.too_many', 'groups'],
      [{ ...fine, address: mail('n'), photo: Buffer.from('GIF89a') }, 'directory.photo_invalid', 'photo'],
      [{ ...fine, address: mail('n'), photo: webp('VP8X', 513, 5) }, 'directory.photo_large', 'photo'],
      [{ ...fine, address: mail('n'), photo: new Uint8Array(65_537) }, 'directory.too_long', 'photo'],
      [{ ...fine, address: mail('n'), initialPassword: 'short' }, 'directory.password_short', 'initial_password'],
      [{ ...fine, address: mail('n'), initialPassword: 'x'.repeat(257) }, 'directory.too_long', 'initial_password'],
      [
        { ...fine, address: mail('n'), initialPassword: 'nnnnnnnnnnnnnnn' },
        'directory.password_weak',
        'initial_password',
      ],
      [{ address: mail('gone'), displayName: 'Back' }, 'directory.person_deleted', 'address'],
    ];
    const rows = bad.flatMap(([row], i) => [row, { address: mail(`good${i}`), displayName: `Good ${i}` }]);
    const outcomes = await load(rows);
    for (const [i, [row, code, field]] of bad.entries()) {
      const outcome = outcomes[2 * i];
      assert.deepEqual(
        [outcome?.action, outcome?.code, outcome?.field, outcome?.personId],
        [REFUSED, code, field, ''],
        JSON.stringify(row),
      );
      assert.ok(outcome?.message && !outcome.message.startsWith(field), outcome?.message);
      assert.equal(outcomes[2 * i + 1]?.action, CREATED);
    }
    const { people: found } = await d.call(directory.getPeople, { addresses: [mail('n')] }, administrator());
    assert.deepEqual(found, []);
    assert.match(await d.metrics.render(), /parley_directory_import_rows_total\{outcome="refused"\} 36/);
  });

  it('report to people of the same file, wherever they stand, also to each other; not to one who is refused', async () => {
    const row = (id: string, manager?: string): Row => ({
      externalId: id,
      address: mail(id.toLowerCase()),
      displayName: id,
      ...(manager === undefined ? {} : { manager }),
    });
    const outcomes = await load([
      row('A', 'B'),
      row('B', mail('c')),
      row('C', 'A'),
      row('D', 'X'),
      { ...row('X'), site: ' ! ' },
      row('E', 'D'),
    ]);
    assert.deepEqual(
      outcomes.map(o => [o.action, o.code]),
      [
        [CREATED, ''],
        [CREATED, ''],
        [CREATED, ''],
        [REFUSED, 'directory.manager_not_found'],
        [REFUSED, 'directory.field_invalid'],
        [REFUSED, 'directory.manager_not_found'],
      ],
    );
    const managers = await Promise.all(['a', 'b', 'c'].map(async name => (await account(mail(name))).person.managerId));
    assert.deepEqual(
      managers,
      [1, 2, 0].map(i => outcomes[i]?.personId),
    );
    const byId = await one({ ...row('F'), manager: outcomes[0]?.personId as string });
    assert.equal(byId?.action, CREATED);
  });

  it('who stand there twice are done one after the other', async () => {
    const outcomes = await load([
      { ...ada, department: 'One' },
      { ...ada, department: 'Two' },
      { externalId: 'E1', address: mail('ada.new') },
      { ...ada, address: mail('ada.new') },
      { address: mail('boss'), displayName: 'Boss', manager: mail('ada.new') },
    ]);
    assert.deepEqual(
      outcomes.map(o => [o.action, o.changed]),
      [
        [CREATED, []],
        [UPDATED, ['department']],
        [UPDATED, ['address']],
        [UNCHANGED, []],
        [CREATED, []],
      ],
    );
    const { person } = await account(mail('ada'));
    assert.deepEqual([person.department, person.primaryAddress], ['Two', mail('ada.new')]);
  });

  it('get a password only when they are made', async () => {
    await load([{ ...ada, initialPassword: goodPassword }]);
    assert.equal((await one({ ...ada, initialPassword: 'another password of hers' }))?.action, UNCHANGED);
    assert.equal((await one({ ...ada, initialPassword: 'short' }))?.action, UNCHANGED);
    await d.signIn(mail('ada'));
    await load([{ address: mail('bob'), displayName: 'Bob' }]);
    await assert.rejects(d.signIn(mail('bob')), refusal('directory.sign_in_refused'));
  });

  it('with passwords get on a bit each time, also when the caller never waits for all of them', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      address: mail(`p${i}`),
      displayName: `P ${i}`,
      initialPassword: goodPassword,
    }));
    const known = () => d.collection(people).count('byKind', { equals: ['person'] }, 100);
    const patience = new AbortController();
    const around =
      (name: string, collection: string, call: (...args: never[]) => Promise<unknown>) =>
      async (...args: never[]) => {
        if (name === 'insert' && collection === 'directory_people') patience.abort(new Error('too late'));
        return call(...args);
      };
    const target = d.replica({}, wrapStore(d.store, around));
    const impatient = { ...administrator(), signal: patience.signal };
    await assert.rejects(d.call(admin.importPeople, { rows }, impatient, target), /too late/);
    assert.equal(await known(), 16);
    const outcomes = await load(rows);
    assert.deepEqual(
      [UNCHANGED, CREATED].map(action => outcomes.filter(o => o.action === action).length),
      [16, 24],
    );
    await d.signIn(mail('p39'));
  });

  it('are disabled and enabled, and signed out when disabled', async () => {
    await load([{ ...ada, initialPassword: goodPassword }]);
    await d.signIn(mail('ada'));
    d.changes.length = 0;
    assert.deepEqual((await one({ address: mail('ada'), enabled: false }))?.changed, ['enabled']);
    assert.deepEqual(
      d.changes.map(c => [c.event.disabled, c.event.allSignInsEnded]),
      [[true, true]],
    );
    await assert.rejects(d.signIn(mail('ada')), refusal('directory.sign_in_refused'));
    assert.equal((await one({ address: mail('ada'), enabled: false }))?.action, UNCHANGED);
    assert.deepEqual((await one({ address: mail('ada'), enabled: true }))?.changed, ['enabled']);
    await d.signIn(mail('ada'));
  });

  it('who hold a role are changed by administrators only', async () => {
    await d.person(mail('viewer'), { name: 'V', roles: [Role.VIEWER] });
    const row = { address: mail('viewer'), department: 'X' };
    const refusedRow = await one(row, administrator([Role.USER_ADMINISTRATOR]));
    assert.deepEqual([refusedRow?.code, refusedRow?.field], ['directory.target_has_roles', 'address']);
    assert.equal((await one(row))?.action, UPDATED);
    assert.equal((await one(ada, administrator([Role.USER_ADMINISTRATOR])))?.action, CREATED);
  });

  it('imported by many at once are one each', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const rows: Row[] = [
        { externalId: `K${seed}`, address: mail(`k${seed}`), displayName: 'K', groups: [`g${seed}`], setGroups: true },
        { address: mail(`l${seed}`), displayName: 'L', department: 'X', photo: png(4, 4) },
      ];
      const moved: Row = { externalId: `K${seed}`, address: mail(`m${seed}`), displayName: 'K' };
      const results = await Promise.all(
        [rows, rows, [moved]].map((part, i) =>
          load(part, administrator(), d.replica({}, dawdlingStore(d.store, seed * 10 + i))),
        ),
      );
      const outcomes = results.flat();
      assert.deepEqual(
        outcomes.filter(o => o.action === REFUSED),
        [],
        `seed ${seed}`,
      );
      assert.equal(outcomes.filter(o => o.action === CREATED).length, 2, `seed ${seed}`);
      const [a, b, c] = results;
      assert.deepEqual(
        a?.map(o => o.personId),
        b?.map(o => o.personId),
      );
      assert.equal(c?.[0]?.personId, a?.[0]?.personId);
      const { members } = await d.call(directory.listGroupMembers, { group: `g${seed}` }, administrator());
      assert.equal(members.length, 1);
    }
    assert.equal(await d.collection(people).count('byKind', { equals: ['person'] }, 100), 24);
  });

  it('who claim the same address at once leave it to one', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const rows = [1, 2, 3].map(i => ({ externalId: `S${seed}.${i}`, address: mail(`s${seed}`), displayName: 'S' }));
      const results = await Promise.all(
        rows.map((row, i) => load([row], administrator(), d.replica({}, dawdlingStore(d.store, seed * 10 + i)))),
      );
      const outcomes = results.flat();
      assert.deepEqual(outcomes.map(o => o.action).sort(), [CREATED, REFUSED, REFUSED], `seed ${seed}`);
      for (const o of outcomes.filter(o => o.action === REFUSED))
        assert.equal(o.code, 'directory.external_id_conflict');
    }
  });

  it('are finished by a repetition after any write that failed', async () => {
    const row: Row = { ...ada, groups: ['G'], setGroups: true, photo: png(4, 4), otherAddresses: [mail('x')] };
    for (const applied of [false, true]) {
      for (let nth = 1; nth <= 9; nth++) {
        const own = await startDirectory();
        const failing = failingStore(own.store);
        const target = own.replica({}, failing.store);
        const call = (rows: Row[], at = own.module) => own.call(admin.importPeople, { rows }, administrator(), at);
        failing.fail(nth, { applied });
        await Promise.allSettled([call([row], target)]);
        const { outcomes } = await call([row]);
        assert.notEqual(outcomes[0]?.action, REFUSED, `write ${nth}`);
        const update: Row = { ...row, address: mail('new'), photo: jpeg(4, 4), groups: ['H'], enabled: false };
        failing.fail(nth, { applied });
        await Promise.allSettled([call([update], target)]);
        assert.notEqual((await call([update])).outcomes[0]?.action, REFUSED);
        assert.equal((await call([update])).outcomes[0]?.action, UNCHANGED);
        const { groups } = await own.call(
          directory.listGroups,
          { memberId: outcomes[0]?.personId as string },
          administrator(),
        );
        assert.deepEqual(
          groups.map(g => g.name),
          ['H'],
        );
        await own.close();
      }
    }
  });

  it('are read together: as many reads for two hundred as for one', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      address: mail(`p${i}`),
      displayName: `P ${i}`,
      manager: mail('p0'),
    })).slice(1);
    rows.push({ address: mail('p0'), displayName: 'P 0', manager: '' });
    await load(rows);
    const counting = countingStore(d.store);
    const outcomes = await load(rows, administrator(), d.replica({}, counting.store));
    assert.ok(outcomes.every(o => o.action === UNCHANGED));
    // Sign-in and account of the caller, claims, people, accounts.
    assert.ok(counting.reads.length <= 8, counting.reads.join());
  });

  it('are refused as a whole only when there are none or too many', async () => {
    await assert.rejects(load([]), refusal('directory.field_missing', 'rows'));
    await assert.rejects(load(Array.from({ length: 201 }, () => ({ ...ada }))), refusal('directory.too_many', 'rows'));
  });
});

describe('a whole file, in process', () => {
  it('has its managers first and its outcomes in order, whatever the order of the rows', async () => {
    const d = await startDirectory();
    const rows = Array.from({ length: 450 }, (_, i) => ({
      externalId: `E${i}`,
      address: `P${i}@hospital.example`,
      displayName: `P ${i}`,
      ...(i < 449 ? { manager: i % 2 ? `E${449 - ((449 - i) >> 1)}` : `p${i + 1}@hospital.example` } : {}),
      ...(i === 0 ? { initialPassword: goodPassword } : {}),
    }));
    const rehearsed = await d.module.importPeople(rows, { dryRun: true });
    assert.ok(rehearsed.every(o => o.action === 'created'));
    assert.equal(await d.collection(people).count('byKind', { equals: ['person'] }, 10), 0);
    const outcomes = await d.module.importPeople(rows, { passwordChangeRequired: false });
    assert.deepEqual([...new Set(outcomes.map(o => o.action))], ['created']);
    assert.deepEqual(
      outcomes.map(o => o.personId),
      rehearsed.map(o => o.personId),
    );
    const last = await d.call(admin.getAccount, { person: 'p449@hospital.example' }, administrator());
    assert.equal(last.account?.person?.id, outcomes[449]?.personId);
    assert.equal((await d.signIn('p0@hospital.example')).passwordChangeRequired, false);
    const again = await d.module.importPeople(rows);
    assert.deepEqual([...new Set(again.map(o => o.action))], ['unchanged']);
    assert.deepEqual(await d.module.importPeople([]), []);
    await d.close();
  });
});
