import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Code } from '@connectrpc/connect';
import { refusal } from '../../../test/fake-server.ts';
import { jsonLines, signedIn } from '../../../test/world.ts';

const PEOPLE = [
  'mail,name,department,manager,groups',
  'wei@clinic.example,陳志偉,Pharmacy,ana@clinic.example,Pharmacists',
  'ana@clinic.example,Ana Souza,Nursing,mei@clinic.example,',
].join('\n');

describe('users import', () => {
  it('makes people with managers, and changes nothing the second time', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const path = file('people.csv', PEOPLE);
    const first = await ctl(['users', 'import', path]);
    assert.deepEqual([first.code, first.stderr], [0, '']);
    assert.match(first.stdout, /^2 rows in \d+ s: 2 created, 0 updated, 0 unchanged, 0 refused\.\n$/);
    const ana = [...directory.accounts.values()].find(a => a.person?.primaryAddress === 'ana@clinic.example');
    const wei = [...directory.accounts.values()].find(a => a.person?.displayName === '陳志偉');
    assert.equal(wei?.person?.managerId, ana?.person?.id);
    assert.match((await ctl(['users', 'import', path])).stdout, /: 0 created, 0 updated, 2 unchanged, 0 refused\.\n$/);
    const shown = await ctl(['users', 'show', 'wei@clinic.example']);
    assert.match(shown.stdout, /\n {2}manager {6}Ana Souza\n {2}groups {7}Pharmacists\n {2}photo {8}no\n$/);
  });

  it('reports each bad row with line, field and reason, imports the rest, and ends with exit code 1', async t => {
    const { ctl, file, dir } = await signedIn(t);
    const path = file(
      'people.csv',
      `${PEOPLE}\nx@elsewhere.example,X,,,\n,"No, body",,,\ny@clinic.example,"Y,,,\nz@clinic.example,Z,,gone@clinic.example,\n`,
    );
    const errors = join(dir, 'bad.csv');
    const { code, stdout, stderr } = await ctl(['users', 'import', path, '--errors', errors]);
    assert.equal(code, 1);
    assert.match(stdout, /: 3 created, 0 updated, 0 unchanged, 3 refused, 1 manager refused\.\nBad rows are in /);
    assert.deepEqual(
      stderr
        .trimEnd()
        .split('\n')
        .map(line => line.trim().split(/ +/).slice(0, 3).join(' ')),
      [
        'LINE FIELD CODE',
        '4 address directory.domain_foreign',
        '5 address people_file.value_missing',
        '6 row people_file.quote_unclosed',
        '7 manager directory.manager_not_found',
      ],
    );
    assert.deepEqual(readFileSync(errors, 'utf8').split('\r\n').slice(0, 3), [
      'line,field,code,reason',
      '4,address,directory.domain_foreign,refused: directory.domain_foreign',
      '5,address,people_file.value_missing,a value is needed',
    ]);
  });

  it('tells machines every row and the result, a line each', async t => {
    const { ctl, file } = await signedIn(t);
    const { code, stdout, stderr } = await ctl(['users', 'import', file('p.csv', `${PEOPLE}\nx,X,,,`), '--json']);
    assert.deepEqual([code, stderr], [1, '']);
    const lines = jsonLines(stdout);
    assert.deepEqual(
      lines.map(({ type, line, action, code: refused }) => [type, line, action ?? refused]),
      [
        ['row', 2, 'created'],
        ['row', 3, 'created'],
        ['refused', 4, 'directory.domain_foreign'],
        ['result', undefined, undefined],
      ],
    );
    assert.deepEqual([lines[3]?.created, lines[3]?.refused, lines[3]?.dryRun], [2, 1, false]);
  });

  it('says as if what it would do', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const before = directory.accounts.size;
    const { code, stdout } = await ctl(['users', 'import', file('p.csv', PEOPLE), '--dry-run']);
    assert.equal(code, 0);
    assert.match(stdout, /: 2 would be created, 0 would be updated, 0 unchanged, 0 refused\.\n$/);
    assert.equal(directory.accounts.size, before);
    assert.ok(directory.imports.length > 0 && directory.imports.every(call => call.dryRun));
  });

  it('reads other encodings, LDIF and standard input, and pictures beside the file', async t => {
    const { ctl, directory, file, dir } = await signedIn(t);
    const utf16 = Buffer.from('\ufeffmail\tname\nwei@clinic.example\t陳志偉\n', 'utf16le');
    assert.match((await ctl(['users', 'import', '-'], { input: utf16 })).stdout, /1 created/);
    const big5 = Buffer.concat([Buffer.from('mail,name\nlin@clinic.example,'), Buffer.from([0xaa, 0x4c, 0x0a])]);
    assert.match((await ctl(['users', 'import', file('b.csv', big5), '--encoding', 'big5'])).stdout, /1 created/);
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    writeFileSync(join(dir, 'ana.png'), png);
    const ldif = `dn: uid=ana\nobjectClass: person\nmail: ana@clinic.example\ncn: Ana\njpegPhoto:< file:ana.png\n\ndn: ou=x\nobjectClass: organizationalUnit\n`;
    const { stdout } = await ctl(['users', 'import', file('d.ldif', ldif)]);
    assert.match(stdout, /1 created.*, 1 entry about no person\./);
    const people = [...directory.accounts.values()].map(a => [a.person?.displayName, a.person?.photoVersion]);
    assert.deepEqual(people.slice(2), [
      ['陳志偉', undefined],
      ['林', undefined],
      ['Ana', 'v8'],
    ]);
    const stdin = await ctl(['users', 'import', '-'], { input: ldif });
    assert.equal(stdin.code, 1);
    assert.match(stdin.stderr, /photo {2}people_file\.photo_path/);
  });

  it('does not look at what is to be ignored, and tells columns that nobody knows', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const path = file('p.csv', PEOPLE.replace('department', 'Departement'));
    const { code, stderr } = await ctl(['users', 'import', path, '--ignore', 'groups,manager']);
    assert.deepEqual([code, stderr], [0, 'Columns not looked at: Departement, manager, groups.\n']);
    assert.equal(directory.groups.size, 0);
  });

  it('goes on where the server was busy for a moment', async t => {
    const { ctl, directory, file } = await signedIn(t);
    directory.failures.push(
      refusal('directory.store_unavailable', Code.Unavailable),
      refusal('rpc.rate_limited', Code.ResourceExhausted, { retryAfterMs: 50 }),
    );
    const { code, stdout } = await ctl(['users', 'import', file('p.csv', PEOPLE)]);
    assert.equal(code, 0);
    assert.match(stdout, /2 created/);
  });

  it('ends when the server refuses it altogether, and says how far it came', async t => {
    const { ctl, directory, file } = await signedIn(t);
    directory.failures.push(refusal('rpc.permission_denied', Code.PermissionDenied));
    const { code, stderr } = await ctl(['users', 'import', file('p.csv', PEOPLE)]);
    assert.equal(code, 4);
    assert.match(stderr, /\(rpc\.permission_denied\)\n/);
    for (let i = 0; i < 7; i++) directory.failures.push(refusal('directory.store_unavailable', Code.Unavailable));
    assert.equal((await ctl(['users', 'import', file('p.csv', PEOPLE)])).code, 7);
  });

  it('refuses a file that it cannot read with exit code 2 and what to do', async t => {
    const { ctl, file, dir } = await signedIn(t);
    const cases: readonly (readonly [args: string[], message: RegExp])[] = [
      [[join(dir, 'none.csv')], /none\.csv cannot be read: ENOENT/],
      [[dir], /cannot be read/],
      [[file('empty.csv', '')], /nothing is in the file \(people_file\.empty\)/],
      [
        [file('u.csv', Buffer.from('mail,name\n', 'utf16le'))],
        /people_file\.encoding_unmarked\)\n {2}Name it: --encoding/,
      ],
      [[file('c.csv', 'name\nA\n')], /no column is called address/],
      [[file('k.csv', 'mail\n'), '--encoding', 'klingon'], /people_file\.encoding_unknown/],
      [[file('x.csv', 'mail\n'), '--ignore', 'shoes'], /Fields are/],
      [[file('y.csv', 'mail\n'), '--errors', join(dir, 'no/dir.csv')], /cannot be written: ENOENT/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await ctl(['users', 'import', ...args]);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, message);
    }
  });

  it('ends with Ctrl-C, also while nothing comes from standard input', async t => {
    const { start, directory } = await signedIn(t);
    const running = start(['users', 'import', '-']);
    running.stdin.write(`mail,name\n${'p@clinic.example,P\n'.repeat(3)}`);
    running.interrupt();
    assert.equal(await running.exit, 130);
    assert.equal(directory.imports.length, 0);
  });

  it('shows progress in a terminal alone, and fits the table into it', async t => {
    const { ctl, file } = await signedIn(t);
    const rows = Array.from({ length: 900 }, (_, i) => `p${i}@clinic.example,P${i},,,`);
    const path = file('p.csv', `${PEOPLE}\n${rows.join('\n')}\n,林美玲林美玲,,,`);
    const { stdout, stderr } = await ctl(['users', 'import', path], { terminal: true });
    assert.ok(stderr.includes('\r\u001b[K') && / rows: \d+ created/.test(stderr));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours and the line of progress
    const plain = `${stdout}${stderr}`.replace(/\r\u001b\[K[^\r\n\u001b]*|\u001b\[\d*m/g, '');
    assert.ok(
      plain.split('\n').every(line => line.length <= 80),
      plain,
    );
  });
});
