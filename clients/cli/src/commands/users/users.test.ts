import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code } from '@connectrpc/connect';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { refusal } from '../../../test/fake-server.ts';
import { jsonLines, signedIn } from '../../../test/world.ts';

const BOTH = ['mei@clinic.example', 'tom@clinic.example'];

describe('one person', () => {
  it('is disabled and shown as he is then, or as he would be', async t => {
    const { ctl, directory } = await signedIn(t);
    const dry = await ctl(['users', 'disable', 'tom@clinic.example', '--dry-run']);
    assert.match(dry.stdout, /\n {2}state {8}disabled\n/);
    assert.equal(dry.stderr, 'Nothing was changed (--dry-run).\n');
    assert.equal(directory.accounts.get('tom-id')?.state, AccountState.ENABLED);
    assert.equal((await ctl(['users', 'disable', 'tom@clinic.example'])).code, 0);
    assert.equal(directory.accounts.get('tom-id')?.state, AccountState.DISABLED);
    assert.equal((await ctl(['users', 'disable', 'nobody@clinic.example'])).code, 5);
  });

  it('is deleted, listed as such, and restored', async t => {
    const { ctl } = await signedIn(t);
    await ctl(['users', 'delete', 'tom@clinic.example']);
    const list = async (...args: string[]) => {
      const { stdout } = await ctl(['users', 'list', '--json', ...args]);
      return (JSON.parse(stdout) as { id: string }[]).map(account => account.id);
    };
    assert.deepEqual(await list(), ['mei-id']);
    assert.deepEqual(await list('--state', 'deleted'), ['tom-id']);
    await ctl(['users', 'restore', 'tom@clinic.example']);
    assert.deepEqual(await list('--state', 'deleted'), []);
    assert.equal((await ctl(['users', 'list', '--state', 'asleep'])).code, 2);
  });

  it('gets a picture, and loses it', async t => {
    const { ctl, file } = await signedIn(t);
    const picture = file('tom.png', Buffer.from('89504e470d0a1a0a', 'hex'));
    assert.equal((await ctl(['users', 'photo', 'tom-id', picture])).stdout, 'The picture is changed.\n');
    assert.equal((await ctl(['users', 'photo', 'tom-id', picture])).stdout, 'The picture was that already.\n');
    assert.match((await ctl(['users', 'show', 'tom-id'])).stdout, /photo {8}yes/);
    assert.equal(
      (await ctl(['users', 'photo', 'tom-id', '--remove', '--dry-run'])).stdout,
      'The picture would be changed.\n',
    );
    assert.equal((await ctl(['users', 'photo', 'tom-id', '--remove'])).code, 0);
    assert.equal((await ctl(['users', 'photo', 'tom-id'])).code, 2);
    assert.equal((await ctl(['users', 'photo', 'tom-id', picture, '--remove'])).code, 2);
  });
});

describe('many people', () => {
  it('are treated one by one, from a list, with a table of outcomes and exit code 1 for a refusal', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const list = file('leavers.txt', `# who left\n${BOTH[0]}\r\n\nnobody@clinic.example\ntwo words\n${BOTH[1]}\n`);
    const { code, stdout, stderr } = await ctl(['users', 'disable', '--file', list]);
    assert.equal(code, 1);
    assert.deepEqual(
      stdout.split('\n').map(line => line.trimEnd().split(/ {2,}/).slice(0, 2).join(' | ')),
      [
        'PERSON | OUTCOME',
        'mei@clinic.example | disabled',
        'nobody@clinic.example | refused',
        'line 5 | refused',
        'tom@clinic.example | disabled',
        '',
      ],
    );
    assert.match(stdout, /\(directory\.person_not_found\)/);
    assert.equal(stderr, '2 of 4 refused.\n');
    for (const account of directory.accounts.values()) assert.equal(account.state, AccountState.DISABLED);
  });

  it('come from arguments or standard input too, and machines get a line for each', async t => {
    const { ctl } = await signedIn(t);
    const args = await ctl(['users', 'enable', ...BOTH, '--json']);
    assert.deepEqual([args.code, jsonLines(args.stdout).map(line => line.outcome)], [0, ['enabled', 'enabled']]);
    const stdin = await ctl(['users', 'sign-out', '--file', '-', '--dry-run', '--json'], {
      input: 'gone\n' + BOTH.join('\n'),
    });
    assert.equal(stdin.code, 1);
    assert.deepEqual(
      jsonLines(stdin.stdout).map(({ person, outcome, code, line }) => [line, person, outcome, code]),
      [
        [1, 'gone', 'refused', 'directory.person_not_found'],
        [2, BOTH[0], 'would be signed out', undefined],
        [3, BOTH[1], 'would be signed out', undefined],
      ],
    );
  });

  it('are left alone when nobody, or somebody twice over, is named', async t => {
    const { ctl, file } = await signedIn(t);
    for (const args of [
      ['users', 'disable'],
      ['users', 'disable', 'tom-id', '--file', file('l', 'tom-id')],
      ['users', 'rename', 'tom-id', '--file', file('l', 'tom-id')],
      ['users', 'reset-password', 'tom-id', '--file', file('l', 'tom-id')],
      ['users', 'reset-password', '--file', file('l', 'tom-id'), '--password-stdin'],
      ['users', 'add', 'x@clinic.example', '--file', file('l', 'mail')],
      ['users', 'add', 'x@clinic.example'],
      ['users', 'rename', 'tom-id'],
    ])
      assert.equal((await ctl(args)).code, 2, args.join(' '));
  });

  it('are given up, after what was done is told, when the sign-in or the server fails', async t => {
    const { ctl, directory } = await signedIn(t);
    directory.failures.push(refusal('rpc.permission_denied', Code.PermissionDenied));
    const { code, stderr } = await ctl(['users', 'unlock', ...BOTH]);
    assert.equal(code, 4);
    assert.match(stderr, /rpc\.permission_denied/);
    directory.failures.push(refusal('directory.busy', Code.Aborted));
    assert.equal((await ctl(['users', 'unlock', ...BOTH])).code, 0, 'what passes is tried again');
  });
});

describe('passwords of many', () => {
  it('are made and shown once for a list', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const list = file('list', BOTH.join('\n'));
    const { code, stdout } = await ctl(['users', 'reset-password', '--file', list, '--generate', '--json']);
    assert.equal(code, 0);
    const told = jsonLines(stdout).map(line => [line.person, line.password]);
    assert.deepEqual(told, directory.passwords);
    assert.equal(new Set(told.map(([, password]) => password)).size, 2);
    const dry = await ctl(['users', 'reset-password', '--file', list, '--generate-password', '--dry-run', '--json']);
    assert.ok(jsonLines(dry.stdout).every(line => !('password' in line) && line.outcome === 'would be reset'));
    assert.equal(directory.passwords.length, 2);
  });

  it('are taken from a table, and never printed', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const table = file('p.csv', 'person,password\ntom-id,a long password\nmei-id,short\nmei-id,\n');
    const { code, stdout } = await ctl(['users', 'reset-password', '--file', table]);
    assert.equal(code, 1);
    assert.deepEqual(directory.passwords, [['tom-id', 'a long password']]);
    assert.ok(!stdout.includes('a long password'));
    assert.match(stdout, /directory\.password_short\)[^]*cli\.password_missing/);
  });
});

describe('many names', () => {
  it('are changed by a table', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const table = file('r.csv', 'person;name;new address\ntom-id;Tom Wu;\nmei-id;;mei.wu@clinic.example\nmei-id;;\n');
    const { code, stdout } = await ctl(['users', 'rename', '--file', table]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /tom-id {2}renamed {2}Tom Wu <tom@clinic\.example>\nmei-id {2}renamed {2}林美玲 <mei\.wu@clinic\.example>\n/,
    );
    assert.match(stdout, /cli\.nothing_to_change/);
    assert.equal(directory.accounts.get('mei-id')?.person?.primaryAddress, 'mei.wu@clinic.example');
  });
});

describe('new people from a file', () => {
  const NEW = 'mail,name,photo,department,password\na@clinic.example,A,a.png,IT,\ntom@clinic.example,Tom,,,\n';

  it('are made with one-time passwords that are shown once; who is there already is refused', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const args = ['users', 'add', '--file', file('n.csv', NEW), '--generate-password', '--role', 'help-desk'];
    const { code, stdout, stderr } = await ctl(args);
    assert.equal(code, 1);
    assert.match(stdout, /a@clinic\.example {4}added {4}[a-z2-9]{5}(-[a-z2-9]{5}){3}\n/);
    assert.match(stdout, /tom@clinic\.example {2}refused {2}.*\(directory\.address_taken\)/);
    assert.match(stderr, /^Columns left out: photo\. See parleyctl users import\.\n1 of 2 refused\.\n$/);
    const [request] = directory.created as { department: string; roles: number[]; passwordChangeRequired: boolean }[];
    assert.deepEqual([request?.department, request?.roles, request?.passwordChangeRequired], ['IT', [3], true]);
  });

  it('need a password from somewhere, or none on purpose', async t => {
    const { ctl, directory, file } = await signedIn(t);
    const table = file('n.csv', NEW);
    const none = await ctl(['users', 'add', '--file', table, '--json']);
    assert.deepEqual(jsonLines(none.stdout)[0]?.code, 'cli.password_missing');
    assert.equal(directory.created.length, 0);
    const dry = await ctl(['users', 'add', '--file', table, '--no-password', '--dry-run', '--json']);
    assert.deepEqual(jsonLines(dry.stdout)[0], { line: 2, person: 'a@clinic.example', outcome: 'would be added' });
    assert.equal(directory.accounts.size, 2);
  });
});
