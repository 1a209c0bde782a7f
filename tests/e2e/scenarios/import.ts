import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { until } from '@parley/testkit';
import { parleyctl } from '../parleyctl.ts';
import type { Scenario } from '../scenario.ts';

/** A picture of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';

export const imports: Scenario = {
  name: 'people come in by files in any encoding; bad rows are told, the rest is there and found, and a repetition changes nothing',
  async run(world) {
    const dir = join(world.parley.dir, 'import');
    mkdirSync(dir, { recursive: true });
    const run = crypto.randomUUID().slice(0, 6);
    const at = (name: string) => `${name}.${run}@parley.example`;
    const file = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    };
    const ctl = (...args: string[]) => parleyctl(dir, args);
    const { address, password } = world.parley.administrator;
    const login = ['login', address, '--server', world.parley.url, '--password-stdin'];
    assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
    const { directory, directoryAdmin } = (await world.administrator()).services;
    const accountOf = async (name: string) => {
      const { account } = await directoryAdmin.getAccount({ person: at(name) });
      assert.ok(account?.person);
      return { ...account, person: account.person };
    };

    // Big5, as an old system of human resources writes it, with rows that cannot be imported between good ones
    const big5 = file(
      'staff.csv',
      inBig5(
        [
          'mail,name,department,manager,employee number,groups',
          `${at('mei')},林美玲,外科,${at('wei')},${run}-1,外科部 ${run};All ${run}`,
          `${at('nobody')},,外科,,${run}-2,`,
          `${at('odd')},"王" 怡君,外科,,${run}-3,`,
          `someone@elsewhere.example,陳大文,外科,,${run}-4,`,
          `${at('wei')},陳志偉,藥局,,${run}-5,All ${run}`,
        ].join('\r\n'),
      ),
    );
    const unread = await ctl('users', 'import', big5, '--dry-run', '--json');
    assert.equal(unread.code, 1, 'without its encoding, nothing is guessed');
    assert.ok(refusalsOf(unread.stdout).every(line => line.endsWith('people_file.encoding_invalid')));
    const errors = join(dir, 'errors.csv');
    const first = await ctl('users', 'import', big5, '--encoding', 'big5', '--errors', errors, '--json');
    assert.equal(first.code, 1, first.stderr);
    assert.deepEqual(refusalsOf(first.stdout), [
      '3 display_name directory.field_missing',
      '4 row people_file.quote_misplaced',
      '5 address directory.domain_foreign',
    ]);
    assert.deepEqual(countsOf(first.stdout), { created: 2, updated: 0, unchanged: 0, refused: 3, managersRefused: 0 });
    assert.equal(readFileSync(errors, 'utf8').trimEnd().split('\r\n').length, 4);

    // UTF-16, as a spreadsheet saves it; his manager came with the other file
    const utf16 = file(
      'sheet.txt',
      Buffer.from(`\ufeffMail\tName\tManager\n${at('ivy')}\t王 怡君\t${run}-1\n`, 'utf16le'),
    );
    assert.equal((await ctl('users', 'import', utf16)).code, 0);

    // LDIF, the manager by his name in the directory, and one who is to be disabled
    const ldif = file(
      'directory.ldif',
      [
        'version: 1\n',
        `dn: ou=people,dc=${run}\nobjectClass: organizationalUnit\n`,
        `dn: uid=ada,ou=people,dc=${run}\nobjectClass: inetOrgPerson\ncn: Ada Nováková\nmail: ${at('ada')}`,
        `manager: UID=bea, ou=people,dc=${run}\nmemberOf: cn=All ${run},ou=groups\njpegPhoto:: ${PIXEL}\n`,
        `dn: uid=bea,ou=people,dc=${run}\nobjectClass: inetOrgPerson\ncn:: ${Buffer.from('李 貝亞').toString('base64')}`,
        `mail: ${at('bea')}\nuserAccountControl: 514\n`,
      ].join('\n'),
    );
    const third = await ctl('users', 'import', ldif);
    assert.equal(third.code, 0, third.stderr);
    assert.match(third.stdout, /: 2 created, 0 updated, 0 unchanged, 0 refused, 1 entry about no person\.\n$/);

    // everything is where it belongs
    const [mei, wei, ivy, ada, bea] = await Promise.all(['mei', 'wei', 'ivy', 'ada', 'bea'].map(accountOf));
    assert.ok(mei && wei && ivy && ada && bea);
    assert.deepEqual(
      [mei.person.managerId, ivy.person.managerId, ada.person.managerId],
      [wei.person.id, mei.person.id, bea.person.id],
    );
    assert.deepEqual([mei.externalId, mei.person.displayName, mei.person.department], [`${run}-1`, '林美玲', '外科']);
    assert.deepEqual([bea.state, ada.state], [AccountState.DISABLED, AccountState.ENABLED]);
    const photo = await directory.getPhoto({ personId: ada.person.id });
    assert.deepEqual(Buffer.from(photo.data), Buffer.from(PIXEL, 'base64'));
    const { members } = await directory.listGroupMembers({ group: `ALL ${run}` });
    assert.deepEqual(new Set(members.map(p => p.id)), new Set([mei, wei, ada].map(account => account.person.id)));

    // and is found by any part of a name, in either order, whatever its width
    for (const [query, id] of [
      ['美玲', mei.person.id],
      ['林美', mei.person.id],
      ['怡君王', ivy.person.id],
      ['王怡', ivy.person.id],
      ['ＡＤＡ novak', ada.person.id],
    ] as const)
      await until(`${query} to be found`, async () => {
        const { people } = await directory.searchPeople({ query: `${query} ${run}`, limit: 100 });
        return people.some(person => person.id === id);
      });

    // once more: nothing changes
    for (const args of [[big5, '--encoding', 'big5'], [utf16], [ldif]]) {
      const again = await ctl('users', 'import', ...args, '--json');
      const { created, updated } = countsOf(again.stdout);
      assert.deepEqual([created, updated], [0, 0], again.stdout);
    }
    assert.equal((await accountOf('mei')).revision, mei.revision);

    // a person is known by the other system's key when the address changes; the old one leads to the same
    const moved = file('moved.csv', `address,employee number,department\n${at('mei.lin')},${run}-1,Surgery\n`);
    assert.match((await ctl('users', 'import', moved)).stdout, /: 0 created, 1 updated,/);
    const renamed = await accountOf('mei');
    assert.deepEqual([renamed.person.id, renamed.person.primaryAddress], [mei.person.id, at('mei.lin')]);

    // many at once, one of whom is nobody
    const leavers = file('leavers.txt', `${at('wei')}\n${at('gone')}\n${at('ivy')}\n`);
    const left = await ctl('users', 'disable', '--file', leavers);
    assert.equal(left.code, 1);
    assert.match(left.stdout, /directory\.person_not_found/);
    for (const name of ['wei', 'ivy']) assert.equal((await accountOf(name)).state, AccountState.DISABLED);
  },
};

/** Runs the program as people do, with its profile in `dir`. */
type Line = Readonly<Record<string, unknown>>;

const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line);

/** Bad rows of an import as `line field code`. */
const refusalsOf = (stdout: string): string[] =>
  linesOf(stdout)
    .filter(line => line.type === 'refused')
    .map(({ line, field, code }) => `${String(line)} ${String(field)} ${String(code)}`);

function countsOf(stdout: string): Line {
  const { created, updated, unchanged, refused, managersRefused } = linesOf(stdout).at(-1) ?? {};
  return { created, updated, unchanged, refused, managersRefused };
}

/** Text in Big5, for which the platform has a decoder only. */
function inBig5(text: string): Uint8Array {
  const decoder = new TextDecoder('big5');
  const table = new Map<string, readonly number[]>();
  for (let lead = 0xa1; lead < 0xfa; lead++)
    for (let trail = 0x40; trail < 0xff; trail++) {
      const character = decoder.decode(Uint8Array.from([lead, trail]));
      if (!table.has(character)) table.set(character, [lead, trail]);
    }
  return Uint8Array.from([...text].flatMap(c => (c < '\u0080' ? [c.charCodeAt(0)] : (table.get(c) as number[]))));
}
