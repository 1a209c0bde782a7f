import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Watcher } from './access.ts';
import { mostActive } from './endpoints.ts';
import { explain, rankEndpoints } from './explain.ts';
import {
  type Device,
  type Endpoint,
  type MachineState,
  type ManualState,
  type Membership,
  newPerson,
  type PersonDoc,
} from './person.ts';
import type { Policy } from './settle.ts';

const POLICY: Policy = {
  timing: { inactiveAfterMs: 300_000, awayAfterMs: 600_000, graceMs: 60_000 },
  showLastActive: true,
};
const NOW = Date.UTC(2026, 0, 5, 9);
const WATCHER: Watcher = { id: 'ann', internal: true, domain: 'corp.example' };
const STRANGER: Watcher = { id: 'zoe', internal: false, domain: 'elsewhere.example' };

const endpoint = (id: string, machine: MachineState, device: Device, over: Partial<Endpoint> = {}): Endpoint => ({
  ...{ id, connectionId: `c-${id}`, sessionId: `s-${id}`, pod: 'pod-1' },
  ...{ device, machine, reportedAt: NOW, connectedAt: NOW },
  ...over,
});
const person = (over: Partial<PersonDoc>): PersonDoc => ({ ...newPerson('p'), ...over });
const outcomes = (...endpoints: readonly Endpoint[]) =>
  rankEndpoints(endpoints, NOW, POLICY.timing).map(one => [one.endpoint.id, one.machine, one.outcome]);

describe('which device decides', () => {
  it('is the most active, then the kind that goes first, then the one known for longer', () => {
    const desk = endpoint('desk', 'active', 'computer');
    assert.deepEqual(outcomes(), []);
    assert.deepEqual(outcomes(desk), [['desk', 'active', 'only']]);
    assert.deepEqual(outcomes(endpoint('phone', 'inactive', 'mobile'), desk, endpoint('tab', 'away', 'web')), [
      ['desk', 'active', 'most-active'],
      ['phone', 'inactive', 'less-active'],
      ['tab', 'away', 'less-active'],
    ]);
    assert.deepEqual(outcomes(endpoint('phone', 'active', 'mobile'), desk), [
      ['desk', 'active', 'kind-first'],
      ['phone', 'active', 'kind-after'],
    ]);
    assert.deepEqual(outcomes(desk, endpoint('other', 'active', 'computer')), [
      ['desk', 'active', 'earliest'],
      ['other', 'active', 'equal'],
    ]);
  });

  it('counts silence, and not what is gone for longer than the grace', () => {
    assert.deepEqual(
      outcomes(
        endpoint('gone', 'active', 'computer', { goneAt: NOW - 60_000, lost: 'closed' }),
        endpoint('silent', 'active', 'computer', { reportedAt: NOW - 300_000 }),
        endpoint('cut', 'active', 'mobile', { goneAt: NOW - 1_000, lost: 'lease' }),
      ),
      [
        ['cut', 'active', 'most-active'],
        ['silent', 'inactive', 'less-active'],
        ['gone', 'active', 'gone'],
      ],
    );
  });

  it('is the one that presence is made of, whatever devices there are', () => {
    const machines: readonly MachineState[] = ['active', 'inactive', 'away'];
    const devices: readonly Device[] = ['computer', 'web', 'desk-phone', 'mobile'];
    const kinds = machines.flatMap(machine => devices.map(device => [machine, device] as const));
    for (const a of kinds)
      for (const b of kinds)
        for (const goneAt of [undefined, NOW - 30_000, NOW - 90_000]) {
          const gone = goneAt === undefined ? {} : { goneAt };
          const endpoints = [endpoint('a', ...a, gone), endpoint('b', ...b)];
          const decides = mostActive(endpoints, NOW, POLICY.timing);
          const [first] = rankEndpoints(endpoints, NOW, POLICY.timing);
          assert.deepEqual([first?.machine, first?.endpoint.device], [decides?.state, decides?.device]);
        }
  });
});

describe('why somebody is seen as he is', () => {
  const told = (doc: Partial<PersonDoc>, watcher: Watcher | undefined = WATCHER) => {
    const { level, container, rule, entry, defaultEntry } = explain(person(doc), watcher, NOW, POLICY);
    return [level, container, rule, entry?.value, defaultEntry];
  };
  const member = (level: Membership['level'], kind: Membership['kind'], value?: string): Membership => ({
    level,
    kind,
    ...(value === undefined ? {} : { value }),
  });

  it('names the rule and the entry that decided, and whether everybody has it', () => {
    assert.deepEqual(told({}), ['colleagues', 200, 'same-enterprise', undefined, true]);
    assert.deepEqual(told({}, STRANGER), ['blocked', 0, 'none', undefined, false]);
    const members = [
      member('workgroup', 'domain', 'corp.example'),
      member('friends', 'user', 'ann'),
      member('blocked', 'user', 'ann'),
      member('external', 'federated'),
    ];
    assert.deepEqual(told({ members }), ['blocked', 32000, 'user', 'ann', false]);
    assert.deepEqual(told({ members: members.slice(0, 1) }), ['workgroup', 300, 'domain', 'corp.example', false]);
    assert.deepEqual(told({ members }, STRANGER), ['external', 100, 'federated', undefined, false]);
    const { level, rule, view } = explain(
      person({ members, endpoints: [endpoint('a', 'active', 'web')] }),
      undefined,
      NOW,
      POLICY,
    );
    assert.deepEqual([level, rule, view.availability], ['blocked', 'viewer-refused', 18500]);
  });

  it('names what a level holds back', () => {
    const doc = {
      endpoints: [endpoint('phone', 'active', 'mobile')],
      note: { text: 'at the dentist', setAt: NOW },
      modeSince: NOW - 5,
    };
    const withheld = (level: Membership['level']) =>
      explain(person({ ...doc, members: [member(level, 'user', 'ann')] }), WATCHER, NOW, POLICY).withheld;
    assert.deepEqual(withheld('colleagues'), []);
    assert.deepEqual(withheld('external'), ['note', 'device', 'last-active']);
    assert.deepEqual(withheld('blocked'), ['all']);
  });

  it('says what the availability is made of', () => {
    const source = (manual: ManualState | undefined, ...endpoints: readonly Endpoint[]) =>
      explain(person({ endpoints, ...(manual && { manual: { state: manual, setAt: NOW } }) }), WATCHER, NOW, POLICY)
        .source;
    const desk = endpoint('desk', 'active', 'computer');
    assert.equal(source('busy'), 'no-device');
    assert.equal(source('busy', endpoint('a', 'active', 'web', { goneAt: NOW - 90_000 })), 'no-device');
    assert.equal(source(undefined, desk), 'device');
    assert.equal(source('online', desk), 'choice-and-device');
    assert.equal(source('do-not-disturb', desk), 'choice');
  });
});
