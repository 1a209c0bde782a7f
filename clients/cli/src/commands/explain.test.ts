import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ParkReason, RecordState } from '@parley/contracts/archive/v1/archive';
import { EffectiveArchivingPolicySchema, PolicyScope } from '@parley/contracts/directory/v1/policy';
import {
  AccessRule,
  AvailabilitySource,
  ContactLevel,
  DeviceType,
  EndpointOutcome,
  type ExplainedEndpointSchema,
  MachineState,
  PreferredAvailability,
  WithheldPart,
} from '@parley/contracts/presence/v1/presence';
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

const NINE = 1_767_600_000_000n;

const located = {
  ...{ linkId: '1/archive/0/7', state: RecordState.ARCHIVED, acceptedMs: NINE },
  ...{ decidedBy: 'person:mei-id', critical: false, checkpointed: true, indexed: false },
};

const device = (endpointId: string, more: EndpointInit = {}): EndpointInit => ({
  ...{ endpointId, device: DeviceType.COMPUTER, pod: 'session-1', outcome: EndpointOutcome.EQUAL },
  ...{ machineState: MachineState.ACTIVE, reportedState: MachineState.ACTIVE },
  ...{ reportedMs: NINE, connectedMs: NINE - 60_000n },
  ...more,
});

type EndpointInit = MessageInitShape<typeof ExplainedEndpointSchema>;

describe('explain presence', () => {
  const busy = {
    ...{ level: ContactLevel.COLLEAGUES, container: 200, rule: AccessRule.SAME_ENTERPRISE, defaultEntry: true },
    ...{ preferred: PreferredAvailability.BUSY, preferredSetMs: NINE, preferredExpiresMs: NINE + 86_400_000n },
    ...{ source: AvailabilitySource.CHOICE_AND_DEVICE, aggregateAvailability: 6500, published: true, noteShown: true },
    view: { personId: 'tom-id', availability: 6500, device: DeviceType.COMPUTER },
    endpoints: [
      device('desk-of-tom', { outcome: EndpointOutcome.MOST_ACTIVE }),
      device('phone', {
        ...{ device: DeviceType.MOBILE, machineState: MachineState.AWAY, lostMs: NINE },
        outcome: EndpointOutcome.LESS_ACTIVE,
      }),
    ],
  };

  it('says what is seen, whose entry decided, which device, and what was chosen', async t => {
    const { ctl, server } = await desk(t);
    server.explained.set('tom-id', busy);
    const { code, stdout } = await ctl('explain', 'presence', 'mei@clinic.example', 'tom-id');
    assert.equal(code, 0);
    const day = (text: string) => text.replaceAll(/2026-01-0[0-9] [0-9:]{5}/g, 'DAY');
    assert.deepEqual(day(stdout).split('\n'), [
      '林美玲 sees Tom Okafor as busy (computer), with a note.',
      '',
      'level      colleagues (container 200)',
      'decided    by the entry for the organisation, which everybody has; Tom Okafor has none of his own',
      'choice     busy since DAY, until DAY; the device tells whether he is there',
      'held back  nothing',
      '',
      'DEVICE       KIND      STATE   REPORTED                 CONNECTED               RESULT',
      'desk-of-tom  computer  active  active DAY  since DAY  decides: more active than the others',
      'phone        mobile    away    active DAY  lost DAY   less active',
      '',
    ]);
    const json = await ctl('explain', 'presence', 'mei-id', 'tom-id', '--json');
    const value = JSON.parse(json.stdout) as Record<string, unknown> & { endpoints: object[] };
    assert.deepEqual(value['decidedBy'], { rule: 'same-enterprise', default: true });
    assert.deepEqual(value['sees'], {
      ...{ personId: 'tom-id', state: 'busy', availability: 6500, device: 'computer', noteShown: true },
    });
    assert.deepEqual(value['choice'], {
      ...{ state: 'busy', setAt: '2026-01-05T08:00:00.000Z', endsAt: '2026-01-06T08:00:00.000Z' },
    });
    assert.deepEqual(value.endpoints[1], {
      ...{ id: 'phone', device: 'mobile', state: 'away', reportedState: 'active', pod: 'session-1' },
      ...{ reportedAt: '2026-01-05T08:00:00.000Z', connectedAt: '2026-01-05T07:59:00.000Z' },
      ...{ lostAt: '2026-01-05T08:00:00.000Z', decides: false, outcome: 'less-active' },
    });
  });

  it('says why nothing is seen', async t => {
    const { ctl, server } = await desk(t);
    const nothing = { level: ContactLevel.BLOCKED, source: AvailabilitySource.NO_DEVICE, published: true };
    const hidden = { ...nothing, withheld: [WithheldPart.ALL], view: { availability: 18500 } };
    const told = async (rule: AccessRule, more: object = {}) => {
      server.explained.set('tom-id', { ...hidden, rule, ...more });
      return (await ctl('explain', 'presence', 'mei-id', 'tom-id')).stdout;
    };
    assert.match(await told(AccessRule.VIEWER_REFUSED), /by his account: nothing is shown to somebody unknown/);
    assert.match(await told(AccessRule.NONE), /by nothing: no entry is for him[^]*No device is signed in/);
    const own = { container: 32000, ownEntries: 1, member: 'mei-id' };
    assert.match(
      await told(AccessRule.PERSON, own),
      /blocked \(container 32000\)\n.*the entry for him; .* has 1 entry of/,
    );
    assert.match(await told(AccessRule.DOMAIN, { member: 'a.example' }), /for the domain a\.example/);
    assert.match(await told(AccessRule.NONE), /held back {2}everything/);
  });

  it('is refused without a role, and for somebody unknown', async t => {
    const { ctl } = await desk(t);
    assert.equal((await ctl('explain', 'presence', 'mei-id', 'tom-id')).code, 4);
    assert.equal((await ctl('explain', 'presence', 'mei-id', 'nobody@clinic.example')).code, 5);
  });
});

describe('trace', () => {
  it('says where a message stands, which lane it took and who decided', async t => {
    const { ctl, server } = await desk(t);
    server.located.set('mei-id.m1', located);
    const { code, stdout } = await ctl('trace', 'mei-id.m1', '--recipient', 'tom-id');
    assert.equal(code, 0);
    assert.match(stdout, /^archived {2}1\/archive\/0\/7\n/);
    assert.match(stdout, /lane {8}archived: what cannot be archived at once is delivered/);
    assert.match(stdout, /decided by {2}the policy of 林美玲 \(scope person\)\n/);
    assert.match(stdout, /log {9}topic archive, partition 0, offset 7, epoch 1\n/);
    assert.match(stdout, /covered by a signed one\nsearch {6}cannot be found yet/);
    assert.match(stdout, /Tom Okafor {2,}devices are shown to administrators and the help desk/);
    const json = await ctl('trace', 'm1', '--sender', 'mei@clinic.example', '--json');
    const value = JSON.parse(json.stdout) as Record<string, unknown[]>;
    const { message, archived, link, lane, scope, topic, partition, offset, policiesNow } = value;
    assert.deepEqual([message, archived, link, policiesNow?.length], ['mei-id.m1', true, '1/archive/0/7', 2]);
    assert.deepEqual([lane, scope, topic, partition, offset], ['archived', 'person', 'archive', 0, 7]);
  });

  it('names recipients and the devices by which they get it', async t => {
    const { ctl, server } = await desk(t);
    server.located.set('mei-id.m1', { ...located, critical: true, recipientIds: ['mei-id', 'tom-id', 'gone-id'] });
    const endpoints = [
      device('desk'),
      device('tab', { device: DeviceType.WEB, connectedMs: NINE + 1n }),
      device('phone', { device: DeviceType.MOBILE, lostMs: NINE + 9n }),
    ];
    server.explained.set('tom-id', { endpoints });
    server.explained.set('gone-id', {});
    const { stdout } = await ctl('trace', 'mei-id.m1');
    assert.match(stdout, /lane {8}critical: what cannot be archived is refused/);
    assert.match(stdout, /Tom Okafor +desk +computer +since .* was there: pushed/);
    assert.match(stdout, /Tom Okafor +tab +web +since .* came later: with the synchronisation/);
    assert.match(stdout, /Tom Okafor +phone +mobile +lost .* connection lost: when it is back/);
    assert.match(stdout, /gone-id \(deleted\) +none +when he signs in/);
    const { recipients } = JSON.parse((await ctl('trace', 'mei-id.m1', '--json')).stdout) as Recipients;
    assert.deepEqual(
      recipients.map(({ person, displayName, devices }) => [person, displayName, devices.map(one => one.delivery)]),
      [
        ['tom-id', 'Tom Okafor', ['pushed', 'synchronised', 'when-back']],
        ['gone-id', undefined, []],
      ],
    );
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

interface Recipients {
  readonly recipients: readonly {
    readonly person: string;
    readonly displayName?: string;
    readonly devices: readonly { readonly delivery: string }[];
  }[];
}

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
