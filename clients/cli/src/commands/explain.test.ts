import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ParkReason, RecordState } from '@parley/contracts/archive/v1/archive';
import { EffectiveArchivingPolicySchema, PolicyScope } from '@parley/contracts/directory/v1/policy';
import { createFakeServer } from '../../test/fake-server.ts';
import { configHome, outcome } from '../../test/io.ts';
import { deciderInWords, decisionOf } from '../archive/decision.ts';

async function desk(t: TestContext) {
  const home = configHome(t);
  const server = createFakeServer();
  const ctl = (...args: readonly string[]) => outcome(args, { home, fetch: server.fetch });
  const login = ['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9', '--password-stdin'];
  assert.equal((await outcome(login, { home, fetch: server.fetch, input: 'correct horse battery\n' })).code, 0);
  return { server, ctl };
}

const policy = (archiveInternal: boolean, critical: boolean) => ({ archiveInternal, archiveExternal: false, critical });

describe('the decision about a message', () => {
  const who = (id: string, archiveInternal: boolean, critical: boolean, scope: PolicyScope = PolicyScope.PERSON) => {
    const effective = create(EffectiveArchivingPolicySchema, { policy: policy(archiveInternal, critical), scope });
    return { id, displayName: id.toUpperCase(), site: 'hq', effective };
  };

  it('is what the server decides: one policy is enough, and one that wants critical mode goes first', () => {
    const decided = (...people: ReturnType<typeof who>[]) => {
      const { archived, critical, decidedBy } = decisionOf(people);
      return `${archived} ${critical} ${decidedBy}`.trim();
    };
    assert.equal(decided(who('a', false, true), who('b', false, false)), 'false false');
    assert.equal(decided(who('a', false, true), who('b', true, false)), 'true false person:b');
    assert.equal(decided(who('a', true, false), who('b', true, false)), 'true false person:a');
    assert.equal(decided(who('a', true, false), who('b', true, true, PolicyScope.SITE)), 'true true site:hq');
    assert.equal(decided(who('a', true, true, PolicyScope.GLOBAL), who('b', true, true)), 'true true global');
  });

  it('is told in words', () => {
    const inWords = (decidedBy: string) => deciderInWords(decidedBy, id => id.toUpperCase());
    assert.deepEqual(['person:a:b', 'site:north wing', 'global'].map(inWords), [
      'the policy of A:B',
      'the policy of the site north wing',
      'the global policy',
    ]);
  });
});

describe('explain archiving', () => {
  it('says who decides, with the policies of both and of everybody', async t => {
    const { ctl, server } = await desk(t);
    server.own.set('tom-id', { policy: policy(true, true), scope: PolicyScope.PERSON });
    const { code, stdout } = await ctl('explain', 'archiving', 'mei@clinic.example', 'tom-id');
    assert.equal(code, 0);
    assert.equal(
      stdout,
      [
        'Messages from 林美玲 to Tom Okafor are archived, in critical mode: what cannot be archived is refused and delivered to nobody. Decided by the policy of Tom Okafor.',
        '',
        'WHO             INTERNAL  EXTERNAL  CRITICAL  FROM',
        '林美玲          on        on        off       the global policy',
        'Tom Okafor      on        off       on        the person policy',
        'everybody else  on        on        off       the global policy',
        '',
      ].join('\n'),
    );
    assert.equal((await ctl('explain', 'archiving', 'mei-id', 'nobody@clinic.example')).code, 5);
  });
});

describe('trace', () => {
  it('says where a message stands and who decided', async t => {
    const { ctl, server } = await desk(t);
    server.located.set('mei-id.m1', {
      ...{ linkId: '1/archive/0/7', state: RecordState.ARCHIVED, acceptedMs: 1_767_600_000_000n },
      ...{ decidedBy: 'person:mei-id', critical: false, checkpointed: true, indexed: false },
    });
    const { code, stdout } = await ctl('trace', 'mei-id.m1', '--recipient', 'tom-id');
    assert.equal(code, 0);
    assert.match(stdout, /^archived {2}1\/archive\/0\/7\n/);
    assert.match(stdout, /decided by {2}the policy of 林美玲, not in critical mode/);
    assert.match(stdout, /covered by a signed one\nsearch {6}cannot be found yet/);
    assert.match(stdout, /Tom Okafor/);
    const json = await ctl('trace', 'm1', '--sender', 'mei@clinic.example', '--json');
    const { message, archived, link, policiesNow } = JSON.parse(json.stdout) as Record<string, unknown[]>;
    assert.deepEqual([message, archived, link, policiesNow?.length], ['mei-id.m1', true, '1/archive/0/7', 2]);
  });

  it('says that it is not archived, or not yet, and how many wait', async t => {
    const { ctl, server } = await desk(t);
    const none = await ctl('trace', 'mei-id.m1');
    assert.equal(none.code, 1);
    assert.match(none.stdout, /^not archived \(yet\) {2}mei-id\.m1\nNothing waits/);
    server.status = { partitions: [{ lag: 2n }, { lag: 1n }] };
    assert.match((await ctl('trace', 'gone-id.m1')).stdout, /3 records in the log wait to be archived/);
    assert.equal((await ctl('trace', 'm1')).code, 2);
  });
});

describe('archive parked', () => {
  it('lists reasons, places and sizes, page by page', async t => {
    const { ctl, server } = await desk(t);
    assert.equal((await ctl('archive', 'parked')).stdout, 'Nothing is parked.\n');
    server.parked = Array.from({ length: 250 }, (_, i) => ({
      ...{ linkId: `1/archive/0/${i}`, size: 20n, sha256: 'ab'.repeat(32), parkedMs: 1_767_600_000_000n },
      reason: i === 0 ? ParkReason.NOT_A_RECORD : ParkReason.UNKNOWN_VERSION,
    }));
    const all = JSON.parse((await ctl('archive', 'parked', '--limit', '1000', '--json')).stdout) as Parked;
    assert.deepEqual([all.records.length, all.more], [250, false]);
    assert.deepEqual(all.records[0], {
      ...{ link: '1/archive/0/0', at: '2026-01-05T08:00:00.000Z', reason: 'not-a-record', size: 20 },
      sha256: 'ab'.repeat(32),
    });
    const some = await ctl('archive', 'parked', '--limit', '2');
    assert.match(some.stdout, /the bytes are no archive record\n.*written by a later version of Parley\n$/);
    assert.match(some.stderr, /There is more/);
  });
});

interface Parked {
  readonly records: readonly object[];
  readonly more: boolean;
}
