import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoff, spread } from './backoff.ts';
import { isOlder, parseClientVersion, parseVersion } from './client-version.ts';
import { CommandMemory, DONE, isUuid, RUNNING } from './command-memory.ts';
import { type Command, mayCommand } from './commands.ts';
import { fateOf } from './end-reason.ts';
import { judge } from './freshness.ts';
import { BLOCKED, isPublished, UNRESOLVED, USUAL, WORKGROUP } from './level.ts';

describe('client versions', () => {
  it('are read with a name, three numbers and a suffix that does not count', () => {
    assert.deepEqual(parseClientVersion('parley-web/1.20.3'), { name: 'parley-web', numbers: [1, 20, 3] });
    assert.deepEqual(parseClientVersion('x/0.0.1-beta.2')?.numbers, [0, 0, 1]);
    for (const bad of ['', 'x', 'x/1.2', '/1.2.3', 'x/1.2.3.4', 'x y/1.2.3', 'x/1.2.3 ', 'x/1234567.0.0']) {
      assert.equal(parseClientVersion(bad), undefined, bad);
    }
    assert.equal(parseVersion('1.2'), undefined);
  });

  it('are compared by number, not by text', () => {
    assert.equal(isOlder([1, 9, 0], [1, 10, 0]), true);
    assert.equal(isOlder([2, 0, 0], [1, 10, 0]), false);
    assert.equal(isOlder([1, 2, 3], [1, 2, 3]), false);
  });
});

describe('command memory', () => {
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

  it('remembers outcomes of the last commands only', () => {
    const memory = new CommandMemory(64);
    for (let n = 0; n < 70; n++) memory.remember(id(n), { code: `c${n}`, field: '' });
    assert.equal(memory.find(id(5)), undefined);
    assert.equal(memory.find(id(6))?.code, 'c6');
    assert.equal(memory.find(id(69))?.code, 'c69');
  });

  it('replaces the outcome of a command it knows, in either case of letters', () => {
    const memory = new CommandMemory(6);
    const key = 'ABCDEF00-0000-4000-8000-00000000000F';
    memory.remember(key, RUNNING);
    memory.remember(key.toLowerCase(), DONE);
    assert.equal(memory.find(key), DONE);
    for (let n = 0; n < 5; n++) memory.remember(id(n), DONE);
    assert.equal(memory.find(key), DONE);
    memory.remember(id(6), DONE);
    assert.equal(memory.find(key), undefined);
  });

  it('knows a UUID', () => {
    assert.equal(isUuid(id(1)), true);
    for (const bad of ['', id(1).slice(1), `${id(1)}0`, id(1).replace('0', 'g')]) assert.equal(isUuid(bad), false);
  });
});

describe('commands', () => {
  const owner = { personId: 'p1', signInId: 's1', connectionId: 'c1' };
  const command = (change: Partial<Command>): Command => ({
    commandId: 'x',
    personId: 'p1',
    signInId: 's1',
    tokenExpiresMs: 0,
    action: { kind: 'renew' },
    ...change,
  });

  it('are carried out for the same person and sign-in only', () => {
    assert.equal(mayCommand(owner, command({})), true);
    assert.equal(mayCommand(owner, command({ personId: 'p2' })), false);
    assert.equal(mayCommand(owner, command({ signInId: 's2' })), false);
  });

  it('may take over from another sign-in of the same person, but not from the connection itself', () => {
    const by = (connectionId: string) => ({ kind: 'taken_over', connectionId }) as const;
    assert.equal(mayCommand(owner, command({ signInId: 's2', action: by('c2') })), true);
    assert.equal(mayCommand(owner, command({ signInId: 's2', action: by('c1') })), false);
    assert.equal(mayCommand(owner, command({ personId: 'p2', action: by('c2') })), false);
  });
});

describe('a change of presence', () => {
  it('is forwarded when it is newer and made with the access list that is known', () => {
    assert.equal(judge(3, 10, { revision: 11, aclRevision: 3 }), 'forward');
    assert.equal(judge(3, 10, { revision: 10, aclRevision: 3 }), 'old');
    assert.equal(judge(3, 10, { revision: 9, aclRevision: 3 }), 'old');
  });

  it('made with an older access list is dropped, however new it is', () => {
    assert.equal(judge(3, 10, { revision: 99, aclRevision: 2 }), 'stale');
  });

  it('made with a newer access list asks for resolving again, even if it looks old', () => {
    assert.equal(judge(3, 10, { revision: 9, aclRevision: 4 }), 'resolve');
  });
});

describe('small rules', () => {
  it('publish at levels that show something', () => {
    assert.deepEqual(
      ([UNRESOLVED, BLOCKED, WORKGROUP, USUAL] as const).map(level => isPublished(level)),
      [false, false, true, true],
    );
  });

  it('take a device away at once only when its person signed out', () => {
    assert.equal(fateOf('signed_out'), 'sign_out');
    assert.equal(fateOf('disconnected'), 'sign_out');
    assert.equal(fateOf('client_gone'), 'grace');
    assert.equal(fateOf('token_expired'), 'grace');
    assert.equal(fateOf('taken_over'), 'none');
    assert.equal(fateOf('shutdown'), 'none');
  });

  it('wait longer after each failure, up to a limit, and never all at once', () => {
    assert.deepEqual(
      [1, 2, 3, 50].map(n => backoff(n, 100, 1_000, 1)),
      [100, 200, 400, 1_000],
    );
    assert.equal(backoff(3, 100, 1_000, 0), 200);
    assert.equal(spread(1_000, 0.25), 250);
  });
});
