import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FindingKind } from '@parley/contracts/archive/v1/archive';
import { until } from '@parley/testkit';
import { createFakeServer, MEI, TOM } from '../../test/fake-server.ts';
import { configHome, outcome, start } from '../../test/io.ts';

const PASSWORD = 'correct horse battery';

async function world(t: TestContext) {
  const home = configHome(t);
  const server = createFakeServer();
  const ctl = (args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}) =>
    outcome(args, { home, fetch: server.fetch, ...more });
  const login = () =>
    ctl(['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9', '--password-stdin'], {
      input: `${PASSWORD}\n`,
    });
  const kept = () =>
    JSON.parse(readFileSync(join(home, 'parley/default.json'), 'utf8')) as { tokens?: { accessToken: string } };
  return { home, server, ctl, login, kept };
}

async function signedIn(t: TestContext) {
  const here = await world(t);
  assert.equal((await here.login()).code, 0);
  return here;
}

/** What a command printed as JSON. */
const json = (text: string): unknown => JSON.parse(text);
const lines = (text: string): unknown[] => text.trimEnd().split('\n').map(json);

describe('signing in', () => {
  it('keeps the sign-in in the profile, so that later commands use it', async t => {
    const { ctl, login } = await world(t);
    const { code, stdout } = await login();
    assert.equal(code, 0);
    assert.equal(stdout, 'Signed in as 林美玲 <mei@clinic.example> at http://127.0.0.1:9 (profile default).\n');
    const me = await ctl(['whoami', '--json']);
    const value = json(me.stdout) as { person: { id: string }; roles: string[]; server: string };
    assert.deepEqual([value.person.id, value.roles, value.server], ['mei-id', ['administrator'], 'http://127.0.0.1:9']);
  });

  it('changes nothing when it is refused', async t => {
    const { ctl, kept } = await signedIn(t);
    const before = kept();
    const { code, stderr } = await ctl(['login', 'mei@clinic.example'], { env: { PARLEYCTL_PASSWORD: 'wrong' } });
    assert.equal(code, 3);
    assert.match(stderr, /\(directory\.sign_in_refused\)/);
    assert.deepEqual(kept(), before);
  });

  it('ends the sign-in that the profile had', async t => {
    const { ctl, kept, login, server } = await signedIn(t);
    const before = kept().tokens?.accessToken;
    await login();
    assert.ok(server.calls.some(call => call.path.endsWith('/SignOut')));
    assert.notEqual(kept().tokens?.accessToken, before);
    assert.equal((await ctl(['whoami'])).code, 0);
  });

  it('asks for a password of one’s own where somebody else had set it', async t => {
    const { server, ctl, kept } = await world(t);
    server.passwordChangeRequired = true;
    const args = ['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9', '--password-stdin'];
    const { code, stderr } = await ctl(args, { input: `${PASSWORD}\na password of my own\n` });
    assert.equal(code, 0, stderr);
    assert.equal(kept().tokens?.accessToken, 'access-2');
    const short = await ctl(args, { input: `${PASSWORD}\nshort\n` });
    assert.equal(short.code, 6);
    assert.match(short.stderr, /directory\.password_short/);
  });

  it('ends with logout, and says so the second time', async t => {
    const { ctl, kept } = await signedIn(t);
    assert.equal((await ctl(['logout'])).stdout, 'Signed out.\n');
    assert.equal(kept().tokens, undefined);
    assert.equal((await ctl(['logout'])).stdout, 'Nobody was signed in.\n');
    assert.equal((await ctl(['whoami'])).code, 3);
  });

  it('never shows the tokens of one server to another', async t => {
    const { ctl, server } = await signedIn(t);
    server.calls.length = 0;
    const { code, stderr } = await ctl(['whoami', '--server', 'http://127.0.0.1:10']);
    assert.equal(code, 2);
    assert.match(stderr, /belongs to http:\/\/127\.0\.0\.1:9/);
    await ctl(['whoami'], { env: { PARLEYCTL_SERVER: 'http://127.0.0.1:10' } });
    assert.equal(server.calls.length, 1, 'the environment does not move a profile');
  });

  it('changes the password with the present one', async t => {
    const { ctl } = await signedIn(t);
    const good = await ctl(['password', '--password-stdin'], { input: `${PASSWORD}\nanother long one\n` });
    assert.equal(good.stdout, 'Changed. All your other sign-ins have ended.\n');
    const bad = await ctl(['password', '--password-stdin'], { input: 'wrong\nanother long one\n' });
    assert.equal(bad.code, 3);
  });
});

describe('presence', () => {
  it('is shown as a table for people and as values for machines', async t => {
    const { ctl } = await signedIn(t);
    const { stdout } = await ctl(['presence', 'show', 'tom@clinic.example', 'mei-id']);
    assert.equal(
      stdout,
      [
        'NAME        ADDRESS             STATE  DEVICE    NOTE',
        'Tom Okafor  tom@clinic.example  busy   computer  in theatre',
        '林美玲      mei@clinic.example  busy   computer  in theatre',
        '',
      ].join('\n'),
    );
    const [first] = json((await ctl(['presence', 'show', 'tom-id', '--json'])).stdout) as {
      state: string;
      note: string;
    }[];
    assert.deepEqual([first?.state, first?.note], ['busy', 'in theatre']);
  });

  it('is chosen for a time', async t => {
    const { ctl } = await signedIn(t);
    const before = Date.now();
    const value = json((await ctl(['presence', 'set', 'dnd', '--for', '2h', '--json'])).stdout) as {
      chosen: string;
      chosenUntil: string;
    };
    assert.equal(value.chosen, 'do-not-disturb');
    const ahead = Date.parse(value.chosenUntil) - before;
    assert.ok(ahead >= 7_200_000 && ahead < 7_260_000);
  });

  it('is watched until Ctrl-C', async t => {
    const { home, server } = await signedIn(t);
    const watching = start(['presence', 'watch', 'tom@clinic.example'], { home, fetch: server.fetch });
    await until('the stream', () => server.streams === 1);
    const change = (availability: number, revision: bigint, note = '') =>
      server.push({ case: 'presence', value: { personId: TOM.id, availability, revision, note } });
    change(3500, 4n);
    change(3600, 5n); // the same to people
    change(9500, 6n, '\u001b[31mred');
    await until('two lines', () => watching.stdout().split('\n').length === 3);
    watching.interrupt();
    assert.equal(await watching.exit, 0);
    assert.match(
      watching.stdout(),
      /^\d\d:\d\d Tom Okafor is available\n\d\d:\d\d Tom Okafor is do not disturb {2}"␛\[31mred"\n$/,
    );
    assert.equal(server.streams, 0);
  });

  it('of nobody is not found', async t => {
    const { ctl } = await signedIn(t);
    const { code, stderr } = await ctl(['presence', 'show', 'nobody@clinic.example']);
    assert.equal(code, 5);
    assert.match(stderr, /nobody is known as nobody@clinic\.example \(client\.person_not_found\)/);
  });
});

describe('messages', () => {
  it('are sent from arguments or standard input, and acknowledged', async t => {
    const { ctl, server } = await signedIn(t);
    assert.equal((await ctl(['im', 'send', 'tom@clinic.example', '早安,', 'Tom 👋'])).stdout, 'Sent.\n');
    const piped = await ctl(['im', 'send', 'tom-id', '--json'], { input: 'two\r\nlines\n' });
    assert.match((json(piped.stdout) as { messageId: string }).messageId, /^[0-9a-f-]{36}$/);
    await ctl(['im', 'send', 'tom-id', '--', '--dashes']);
    assert.deepEqual(
      server.sent.map(m => [m.recipientId, m.text]),
      [
        ['tom-id', '早安, Tom 👋'],
        ['tom-id', 'two\nlines'],
        ['tom-id', '--dashes'],
      ],
    );
  });

  it('that critical mode refuses are said not to be delivered', async t => {
    const { ctl } = await signedIn(t);
    const { code, stderr } = await ctl(['im', 'send', 'tom-id', 'bad']);
    assert.equal(code, 7);
    assert.match(
      stderr,
      /^parleyctl: .*; try again in 10 s \(im\.archive_unavailable\)\n {2}It was delivered to nobody/,
    );
    const failure = json((await ctl(['im', 'send', 'tom-id', 'bad', '--json'])).stderr);
    assert.deepEqual(failure, {
      error: { code: 'im.archive_unavailable', message: 'no: im.archive_unavailable', requestId: 'r-77' },
    });
  });

  it('are given up when nobody acknowledges them in time, with what to do', async t => {
    const { home, server } = await signedIn(t);
    const real = server.fetch;
    const fetch: typeof globalThis.fetch = (input, init) =>
      typeof input === 'string' && input.endsWith('/SendMessage')
        ? Promise.reject(new TypeError('fetch failed'))
        : real(input, init);
    const { code, stderr } = await outcome(['im', 'send', 'tom-id', 'hello', '--timeout', '300ms'], { home, fetch });
    assert.equal(code, 7);
    assert.match(stderr, /--message-id [0-9a-f-]{36} \(client\.not_acknowledged\)/);
  });

  it('of the past are printed oldest first, safe for a terminal', async t => {
    const { ctl, server } = await signedIn(t);
    assert.deepEqual(json((await ctl(['im', 'history', 'tom-id', '--json'])).stdout), [], 'nothing was said');
    server.history.push(
      server.message(TOM, MEI, 'first', 1),
      server.message(MEI, TOM, 'second\nline', 2),
      server.message(TOM, MEI, 'evil \u001b[2J', 3),
    );
    const { stdout } = await ctl(['im', 'history', 'tom-id']);
    const plain = stdout.replaceAll(/^\d\d:\d\d/gm, 'TIME');
    assert.equal(plain, 'TIME Tom Okafor: first\nTIME You: second\n           line\nTIME Tom Okafor: evil ␛[2J\n');
    const last = json((await ctl(['im', 'history', 'tom-id', '--limit', '1', '--json'])).stdout) as { text: string }[];
    assert.deepEqual(
      last.map(m => m.text),
      ['evil \u001b[2J'],
    );
  });

  it('that come are printed with who wrote them, once, without one’s own and older ones', async t => {
    const { home, server } = await signedIn(t);
    const old = server.message(TOM, MEI, 'of yesterday', 1);
    old.acceptedMs = BigInt(Date.now() - 86_400_000);
    server.history.push(old);
    const listening = start(['im', 'listen', '--json'], { home, fetch: server.fetch });
    await until('the stream', () => server.streams === 1);
    const message = server.message(TOM, MEI, 'now');
    server.push({ case: 'im', value: message });
    server.push({ case: 'im', value: message });
    server.push({ case: 'im', value: server.message(MEI, TOM, 'mine') });
    server.push({ case: 'im', value: server.message(TOM, MEI, 'the end') });
    await until('both', () => listening.stdout().includes('the end'));
    listening.interrupt();
    assert.equal(await listening.exit, 0);
    assert.deepEqual(
      lines(listening.stdout())
        .map(line => line as { text: string; senderName: string })
        .map(m => [m.senderName, m.text]),
      [
        ['Tom Okafor', 'now'],
        ['Tom Okafor', 'the end'],
      ],
    );
    const since = start(['im', 'listen', '--since', '2d'], { home, fetch: server.fetch });
    await until('yesterday', () => since.stdout().includes('of yesterday'));
    since.interrupt();
    await since.exit;
  });
});

describe('people', () => {
  it('are made with a generated password that is shown once', async t => {
    const { ctl, server } = await signedIn(t);
    const args = [
      'users',
      'add',
      'tim@clinic.example',
      '--name',
      'Tom',
      '--role',
      'viewer',
      '--generate-password',
      '--json',
    ];
    const value = json((await ctl(args)).stdout) as { password: string; displayName: string };
    assert.match(value.password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    const [request] = server.created as { initialPassword: string; passwordChangeRequired: boolean; roles: number[] }[];
    assert.deepEqual(
      [request?.initialPassword, request?.passwordChangeRequired, request?.roles],
      [value.password, true, [4]],
    );
  });

  it('are not made with the password of whoever makes them', async t => {
    const { ctl, server } = await signedIn(t);
    const args = ['users', 'add', 'tim@clinic.example', '--name', 'Tim'];
    const { code } = await ctl(args, { env: { PARLEYCTL_PASSWORD: PASSWORD } });
    assert.equal(code, 2);
    assert.deepEqual(server.created, []);
    assert.equal((await ctl([...args, '--no-password'])).code, 0);
  });

  it('are listed page by page', async t => {
    const { ctl } = await signedIn(t);
    assert.equal((json((await ctl(['users', 'list', '--json'])).stdout) as unknown[]).length, 2);
    assert.equal((json((await ctl(['users', 'list', '--limit', '1', '--json'])).stdout) as unknown[]).length, 1);
  });
});

describe('the archiving policy', () => {
  it('changes only what is named', async t => {
    const { ctl, server } = await signedIn(t);
    const { stdout } = await ctl(['policy', 'archiving', 'set', '--person', 'mei-id', '--critical', 'on']);
    const [request] = server.policies as { person: string; policy: Record<string, unknown> }[];
    assert.equal(request?.person, 'mei-id');
    assert.deepEqual(
      [request?.policy.archiveInternal, request?.policy.archiveExternal, request?.policy.critical],
      [true, true, true],
    );
    assert.match(stdout, /critical {2}on\nfrom {6}the person policy/);
    assert.equal((await ctl(['policy', 'archiving', 'set'])).code, 2);
    assert.equal((await ctl(['policy', 'archiving', 'set', '--site', 'taipei', '--internal', 'on'])).code, 0);
    const ofSite = server.policies.at(-1) as { person: string; site: string };
    assert.deepEqual([ofSite.person, ofSite.site], ['', 'taipei']);
    assert.equal((await ctl(['policy', 'archiving', 'show', '--site', 'taipei', '--person', 'mei-id'])).code, 2);
  });
});

describe('archive verify', () => {
  const counts = {
    links: 10n,
    contents: 7n,
    checkpoints: 2n,
    records: 7n,
    duplicates: 2n,
    notAccepted: 1n,
    beyondCheckpoint: 3n,
  };
  const result = (more: object = {}) => ({ case: 'result' as const, value: { intact: true, ...counts, ...more } });

  it('accounts for every link', async t => {
    const { ctl, server } = await signedIn(t);
    server.verifyEvents = [{ case: 'progress', value: { links: 5n, total: 10n } }, result()];
    const { code, stdout, stderr } = await ctl(['archive', 'verify']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^The archive is intact\.\n/);
    assert.match(stdout, /\n {2}links {9}10 {2}entries/);
    assert.match(stdout, /7 records \+ 2 duplicates \+ 1 not accepted \+ 0 parked = 10\.\n$/);
  });

  it('fails with exit code 1 and the findings when anything is wrong', async t => {
    const { ctl, server } = await signedIn(t);
    const finding = { kind: FindingKind.ALTERED_CONTENT, linkId: '1/im/0/7', detail: 'hash differs' };
    server.verifyEvents = [{ case: 'finding', value: finding }, result({ intact: false, findings: 1n, records: 6n })];
    const { code, stdout } = await ctl(['archive', 'verify']);
    assert.equal(code, 1);
    assert.match(stdout, /^altered content {2}1\/im\/0\/7 {2}hash differs\n\nThe archive is NOT intact: 1 finding\./);
    assert.match(stdout, /1 of 10 links are none of these/);
    const value = json((await ctl(['archive', 'verify', '--json'])).stdout) as { intact: boolean; findings: unknown[] };
    assert.deepEqual(
      [value.intact, value.findings],
      [false, [{ kind: 'altered-content', link: '1/im/0/7', detail: 'hash differs' }]],
    );
  });

  it('lists records one by one, the result last', async t => {
    const { ctl, server } = await signedIn(t);
    server.verifyEvents = [
      { case: 'record', value: { recordId: 'mei-id.m1', linkId: '1/im/0/0', state: 1, acceptedMs: 1_000n } },
      { case: 'record', value: { recordId: 'mei-id.m1', linkId: '1/im/0/1', state: 2, acceptedMs: 1_000n } },
      result(),
    ];
    const printed = lines((await ctl(['archive', 'verify', '--records', '--json'])).stdout) as {
      type: string;
      state?: string;
    }[];
    assert.deepEqual(
      printed.map(p => [p.type, p.state]),
      [
        ['record', 'archived'],
        ['record', 'duplicate'],
        ['result', undefined],
      ],
    );
  });

  it('that broke off says nothing about the archive', async t => {
    const { ctl, server } = await signedIn(t);
    server.verifyEvents = [{ case: 'progress', value: { links: 5n, total: 10n } }];
    const { code, stdout } = await ctl(['archive', 'verify']);
    assert.deepEqual([code, stdout], [7, '']);
  });
});

describe('a profile file that is none', () => {
  it('is told, not overwritten', async t => {
    const { home, ctl } = await signedIn(t);
    const path = join(home, 'parley/default.json');
    writeFileSync(path, 'garbage');
    assert.equal((await ctl(['whoami'])).code, 2);
    assert.equal(readFileSync(path, 'utf8'), 'garbage');
  });
});
