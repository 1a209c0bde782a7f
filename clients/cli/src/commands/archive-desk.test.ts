import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ExportFormat, RecordState } from '@parley/contracts/archive/v1/archive';
import { eventsOf, newSigner, signedExport } from '../../test/fake-archive.ts';
import { createFakeServer } from '../../test/fake-server.ts';
import { configHome, outcome } from '../../test/io.ts';

const WHY = ['--case', 'HR-2026-014', '--reason', 'complaint'];

async function desk(t: TestContext) {
  const home = configHome(t);
  const server = createFakeServer();
  const ctl = (args: readonly string[], more: { terminal?: boolean; input?: string } = {}) =>
    outcome(args, { home, fetch: server.fetch, ...more });
  const login = ['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9', '--password-stdin'];
  assert.equal((await ctl(login, { input: 'correct horse battery\n' })).code, 0);
  return { home, server: server.archive, status: server, ctl };
}

const item = (n: number, text: string, state: RecordState = RecordState.ARCHIVED) => ({
  recordId: `mei-id.m${n}`,
  linkId: `1/archive/0/${n}`,
  state,
  acceptedMs: BigInt(new Date(2026, 0, 5, 9, n).getTime()),
  conversationId: 'd_1',
  sender: { id: 'mei-id', address: 'mei@clinic.example', displayName: '林美玲' },
  recipients: [{ id: 'tom-id', address: 'tom@clinic.example', displayName: 'Tom Okafor' }],
  text,
  kind: 'message',
});

describe('archive search', () => {
  it('asks for what the options say and lines up what it finds', async t => {
    const { ctl, server } = await desk(t);
    server.items = [item(2, '會議在三點'), item(1, 'second\nline', RecordState.NOT_ACCEPTED)];
    server.notIndexed = 3n;
    const people = ['--person', 'mei@clinic.example', '--person', 'tom-id', '--any-person'];
    const times = ['--from', '2026-01-05', '--until', '2026-01-05', '--words', '會議', '--conversation', 'd_1'];
    const { code, stdout, stderr } = await ctl(['archive', 'search', ...WHY, ...people, ...times]);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      [
        'WHEN              FROM    TO          TEXT',
        '2026-01-05 09:02  林美玲  Tom Okafor  會議在三點',
        '2026-01-05 09:01  林美玲  Tom Okafor  (not-accepted) second line',
        '',
      ].join('\n'),
    );
    assert.match(stderr, /Archived lately and not to be found yet: 3 records/);
    const [request] = server.searches;
    assert.deepEqual([request?.purpose?.caseId, request?.purpose?.reason], ['HR-2026-014', 'complaint']);
    assert.deepEqual(request?.query?.people, ['mei@clinic.example', 'tom-id']);
    assert.equal(request.query.anyPerson, true);
    assert.equal(request.query.fromMs, BigInt(new Date(2026, 0, 5).getTime()));
    assert.equal(request.query.untilMs, BigInt(new Date(2026, 0, 6).getTime()));
    assert.deepEqual([request.query.words, request.query.conversationId], ['會議', 'd_1']);
  });

  it('goes through pages up to its limit, and says that there is more', async t => {
    const { ctl, server } = await desk(t);
    server.items = Array.from({ length: 450 }, (_, i) => item(i % 60, `n${i}`));
    const { stdout } = await ctl(['archive', 'search', ...WHY, '--limit', '430', '--json']);
    const value = JSON.parse(stdout) as { records: unknown[]; more: boolean; audit: string[] };
    assert.deepEqual([value.records.length, value.more, value.audit.length], [430, true, 3]);
    assert.deepEqual(
      server.searches.map(search => search.limit),
      [200, 200, 30],
    );
  });

  it('shows ids whole, also on a narrow terminal, and carries out nothing that somebody wrote', async t => {
    const { ctl, server } = await desk(t);
    server.items = [item(1, 'x\u001b[2Jy '.repeat(30))];
    const { stdout } = await ctl(['archive', 'search', ...WHY, '--ids', '--no-color'], { terminal: true });
    assert.match(stdout, /^mei-id\.m1\n {2}2026-01-05 09:01 {2}林美玲 → Tom Okafor\n {4}x␛\[2Jy/);
    assert.ok(!stdout.includes('\u001b[2J'));
  });

  it('needs a case and a reason, and times that are times', async t => {
    const { ctl } = await desk(t);
    for (const args of [
      ['--case', 'A'],
      ['--reason', 'B'],
      [...WHY, '--from', 'yesterday'],
    ])
      assert.equal((await ctl(['archive', 'search', ...args])).code, 2);
  });
});

describe('archive view', () => {
  it('shows a record among its neighbours', async t => {
    const { ctl, server } = await desk(t);
    server.items = [item(1, 'before'), item(2, 'this\none'), item(3, 'after')];
    const { stdout } = await ctl(['archive', 'view', ...WHY, 'mei-id.m2', '--before', '1', '--after', '5']);
    assert.equal(
      stdout,
      [
        '  2026-01-05 09:01  林美玲',
        '      before',
        '> 2026-01-05 09:02  林美玲',
        '      this',
        '      one',
        '  2026-01-05 09:03  林美玲',
        '      after',
        '',
      ].join('\n'),
    );
    const [request] = server.views;
    assert.deepEqual([request?.recordId, request?.before, request?.after], ['mei-id.m2', 1, 5]);
    const value = JSON.parse((await ctl(['archive', 'view', ...WHY, 'mei-id.m2', '--json'])).stdout) as { raw: string };
    assert.equal(Buffer.from(value.raw, 'base64').toString(), 'raw');
  });
});

describe('archive export', () => {
  const FILES = {
    'records/2026-01-05.jsonl': `${'{"a":"會議"}\n'.repeat(40)}`,
    'mail/x.eml': 'X-Parley-Records: 1\n\nhi',
  };

  it('writes a directory that verifies', async t => {
    const { ctl, server, home } = await desk(t);
    const made = signedExport(FILES);
    server.exportEvents = eventsOf(made);
    const dir = join(home, 'out/export-1');
    const { code, stdout, stderr } = await ctl(['archive', 'export', ...WHY, '--format', 'jsonl', dir]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /3 records in 2 files in .*complete/);
    assert.equal(server.exports[0]?.format, ExportFormat.JSONL);
    for (const [path, bytes] of made.files) assert.deepEqual(readFileSync(join(dir, path)), bytes);
    assert.deepEqual(readdirSync(join(home, 'out')), ['export-1']);
    const check = (...args: string[]) => ctl(['archive', 'verify-export', dir, ...args]);
    const key = join(home, 'key.pub');
    writeFileSync(key, made.signer.publicPem);
    assert.equal((await check()).code, 0);
    assert.match((await check()).stdout, /Whose key that is, only a comparison shows/);
    assert.match((await check('--key', key)).stdout, /the one that was expected/);
    assert.equal((await check('--key-id', made.signer.keyId)).code, 0);
    assert.equal((await check('--key-id', 'another')).code, 1);
    writeFileSync(key, newSigner().publicPem);
    assert.match((await check('--key', key)).stdout, /NOT as it was made.*\n.*signed by key/);
    writeFileSync(join(dir, 'mail/x.eml'), 'tampered');
    const { code: found, stdout: told } = await check('--json');
    const value = JSON.parse(told) as { intact: boolean; problems: string[]; case: string; trusted: null };
    assert.deepEqual([found, value.intact, value.case, value.trusted], [1, false, 'HR-2026-014', null]);
    assert.match(value.problems[0] ?? '', /mail\/x\.eml/);
  });

  it('says when it does not hold everything that was accepted', async t => {
    const { ctl, server, home } = await desk(t);
    server.exportEvents = eventsOf(signedExport(FILES, newSigner(), { everything_accepted_was_archived: false }));
    const dir = join(home, 'out');
    const { code, stderr } = await ctl(['archive', 'export', ...WHY, dir]);
    assert.deepEqual([code, /could not be archived in time/.test(stderr)], [0, true]);
    assert.match((await ctl(['archive', 'verify-export', dir])).stdout, /could not be archived in time/);
  });

  it('leaves nothing behind when it breaks off or does not agree with its manifest', async t => {
    const { ctl, server, home } = await desk(t);
    const made = signedExport(FILES);
    const all = [...eventsOf(made)];
    const changed = all.map(event =>
      event.case === 'data' && String(event.value).startsWith('{"a"')
        ? { ...event, value: Buffer.from(String(event.value).replace('會', '開')) }
        : event,
    );
    const outside = [{ case: 'file' as const, value: { path: '../../evil' } }, ...all];
    const extra = [
      { case: 'file' as const, value: { path: 'extra.txt' } },
      { case: 'data' as const, value: Buffer.from('x') },
      ...all,
    ];
    for (const events of [all.slice(0, 5), changed, outside, extra, all.slice(1)]) {
      server.exportEvents = events;
      const { code } = await ctl(['archive', 'export', ...WHY, join(home, 'out')]);
      assert.notEqual(code, 0);
      assert.ok(!existsSync(join(home, 'out')));
      assert.deepEqual(
        readdirSync(home).filter(name => name.startsWith('.out')),
        [],
      );
    }
  });

  it('refuses a directory in which there is something, and asks the server for nothing', async t => {
    const { ctl, server, home } = await desk(t);
    const dir = join(home, 'full');
    mkdirSync(dir);
    writeFileSync(join(dir, 'mine'), '');
    assert.equal((await ctl(['archive', 'export', ...WHY, dir])).code, 2);
    assert.equal(server.exports.length, 0);
    const empty = join(home, 'empty');
    mkdirSync(empty);
    server.exportEvents = eventsOf(signedExport(FILES));
    assert.equal((await ctl(['archive', 'export', ...WHY, empty])).code, 0);
  });

  it('is checked without a server and without a sign-in', async t => {
    const home = configHome(t);
    const fetch = () => Promise.reject(new Error('no network here'));
    const { code, stderr } = await outcome(['archive', 'verify-export', join(home, 'none')], { home, fetch });
    assert.equal(code, 2);
    assert.match(stderr, /there is no directory/);
    mkdirSync(join(home, 'some'));
    assert.equal((await outcome(['archive', 'verify-export', join(home, 'some')], { home, fetch })).code, 1);
  });
});

describe('archive key and status', () => {
  it('show the key that exports are signed with', async t => {
    const { ctl, status } = await desk(t);
    const { publicPem, keyId } = newSigner();
    const partitions = [{ epoch: 117653352016022n, topic: 'archive', partition: 2, nextOffset: 5n }];
    const policy = { policySummary: 'All.', peopleWithOwnPolicy: 1n, partitions };
    status.status = { ...policy, notIndexed: 7n, signingKeyId: keyId, signingPublicKey: publicPem };
    assert.equal((await ctl(['archive', 'key'])).stdout, publicPem);
    const { stdout } = await ctl(['archive', 'status']);
    assert.match(
      stdout,
      new RegExp(
        `^All\\.\nWith another policy of his own: 1 person\\.\nArchived and not to be found by words yet: 7 records.*\n.*signed by key ${keyId}`,
      ),
    );
    const value = JSON.parse((await ctl(['archive', 'status', '--json'])).stdout) as {
      notIndexed: number;
      key: string;
      partitions: { epoch: number }[];
    };
    assert.deepEqual([value.notIndexed, value.key, value.partitions[0]?.epoch], [7, keyId, 117653352016022]);
  });

  it('say when the server last verified by itself, and what came of it', async t => {
    const { ctl, status } = await desk(t);
    const told = async (verifiedIntact: boolean) => {
      status.status = { verifiedMs: BigInt(Date.now() - 3 * 3_600_000), verifiedIntact };
      return (await ctl(['archive', 'status'])).stdout;
    };
    assert.match(await told(true), /Verified by the server itself 3 h ago: intact\./);
    assert.match(await told(false), /3 h ago: NOT intact; archive verify and audit verify say what is wrong/);
    const { verified } = JSON.parse((await ctl(['archive', 'status', '--json'])).stdout) as { verified: object };
    assert.deepEqual(Object.keys(verified), ['at', 'intact']);
    status.status = {};
    assert.doesNotMatch((await ctl(['archive', 'status'])).stdout, /Verified/);
  });
});

describe('audit', () => {
  it('lists who looked at what and why', async t => {
    const { ctl, server } = await desk(t);
    server.entries = [
      {
        ...{ number: 2n, auditId: 'a2', atMs: BigInt(new Date(2026, 0, 5, 9, 2).getTime()), action: 'search' },
        person: { id: 'vera-id', address: 'vera@clinic.example', displayName: 'Vera 林' },
        purpose: { caseId: 'HR-2026-014', reason: 'complaint' },
        ...{ detailJson: '{"words":"會議"}', outcomeJson: '{"records":3}', peer: '192.0.2.7', hash: 'ff' },
      },
    ];
    const { stdout } = await ctl(['audit', 'list', '--case', 'HR-2026-014', '--person', 'vera@clinic.example']);
    assert.equal(
      stdout,
      [
        'NUMBER  WHEN              WHO      WHAT    CASE         REASON',
        '2       2026-01-05 09:02  Vera 林  search  HR-2026-014  complaint',
        '',
      ].join('\n'),
    );
    assert.deepEqual([server.lists[0]?.caseId, server.lists[0]?.person], ['HR-2026-014', 'vera@clinic.example']);
    const [entry] = JSON.parse((await ctl(['audit', 'list', '--json'])).stdout) as {
      detail: { words: string };
      outcome: { records: number };
    }[];
    assert.deepEqual([entry?.detail.words, entry?.outcome.records], ['會議', 3]);
    assert.match(
      (await ctl(['audit', 'list', '--details'])).stdout,
      /asked +\{"words":"會議"\}\n +outcome +\{"records":3\}\n/,
    );
  });

  it('says whether the log is intact', async t => {
    const { ctl, server } = await desk(t);
    assert.match((await ctl(['audit', 'verify'])).stdout, /^The audit log is intact\.\n5 entries, 5 of them/);
    server.auditFindings = ['entry 3 was changed'];
    const { code, stdout } = await ctl(['audit', 'verify']);
    assert.deepEqual([code, /NOT intact: 1 finding\.\n {2}entry 3 was changed/.test(stdout)], [1, true]);
    assert.equal((JSON.parse((await ctl(['audit', 'verify', '--json'])).stdout) as { intact: boolean }).intact, false);
  });
});
