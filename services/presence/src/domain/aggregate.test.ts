import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aggregate } from './aggregate.ts';
import { modeOf } from './availability.ts';
import { machineStateAt, removedAt } from './endpoints.ts';
import {
  type Device,
  type Endpoint,
  type MachineState,
  type ManualState,
  newPerson,
  type PersonDoc,
  type Timing,
} from './person.ts';

const T: Timing = { inactiveAfterMs: 300_000, awayAfterMs: 600_000, graceMs: 60_000 };
const NOW = Date.UTC(2026, 0, 5, 9);
const MACHINES: readonly MachineState[] = ['active', 'inactive', 'away'];
const DEVICES: readonly Device[] = ['computer', 'web', 'desk-phone', 'mobile'];

let made = 0;
const endpoint = (machine: MachineState, over: Partial<Endpoint> = {}): Endpoint => ({
  id: `device-${++made}`,
  connectionId: `c${made}`,
  sessionId: `s${made}`,
  pod: 'pod-1',
  device: 'computer',
  machine,
  reportedAt: NOW,
  connectedAt: NOW,
  ...over,
});
const person = (endpoints: readonly Endpoint[], manual?: ManualState, endsAt?: number): PersonDoc => ({
  ...newPerson('p'),
  endpoints,
  ...(manual ? { manual: { state: manual, setAt: NOW, ...(endsAt === undefined ? {} : { endsAt }) } } : {}),
});
const stateOf = (doc: PersonDoc, now = NOW) => aggregate(doc, now, T).state;

/** Availability and activity for each choice (row) and most active device (column). */
const TABLE: readonly [
  ManualState | undefined,
  Record<MachineState | 'none', readonly [availability: number, activity: string]>,
][] = [
  [undefined, { active: [3500, ''], inactive: [5000, ''], away: [15500, ''], none: [18500, ''] }],
  ['online', { active: [3500, ''], inactive: [5000, ''], away: [5000, ''], none: [18500, ''] }],
  ['busy', { active: [6500, ''], inactive: [7500, ''], away: [7500, ''], none: [18500, ''] }],
  ['do-not-disturb', { active: [9500, ''], inactive: [9500, ''], away: [9500, ''], none: [18500, ''] }],
  ['be-right-back', { active: [12500, ''], inactive: [12500, ''], away: [12500, ''], none: [18500, ''] }],
  ['away', { active: [15500, ''], inactive: [15500, ''], away: [15500, ''], none: [18500, ''] }],
  [
    'off-work',
    { active: [15500, 'off-work'], inactive: [15500, 'off-work'], away: [15500, 'off-work'], none: [18500, ''] },
  ],
  ['appear-offline', { active: [18500, ''], inactive: [18500, ''], away: [18500, ''], none: [18500, ''] }],
];

/** Every sequence of `n` of the items. */
function sequences<X>(items: readonly X[], n: number): X[][] {
  return n === 0 ? [[]] : sequences(items, n - 1).flatMap(head => items.map(item => [...head, item]));
}

function permutations<X>(items: readonly X[]): X[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map(rest => [item, ...rest]));
}

describe('the aggregate', () => {
  for (const [manual, row] of TABLE) {
    it(`follows the table for ${manual ?? 'no choice'} with every combination of up to eight devices`, () => {
      for (let n = 0; n <= 8; n++) {
        for (const machines of n <= 5 ? sequences(MACHINES, n) : [MACHINES.flatMap(m => [m, m, m]).slice(9 - n)]) {
          const best = MACHINES.find(m => machines.includes(m)) ?? 'none';
          const state = stateOf(
            person(
              machines.map(m => endpoint(m)),
              manual,
            ),
          );
          assert.deepEqual([state.availability, state.activity], row[best], `${machines.join()} -> ${best}`);
          assert.equal(state.mode, modeOf(state.availability));
        }
      }
    });
  }

  it('puts every availability number into its class of the reference', () => {
    const classes: readonly [number, number, string][] = [
      [0, 2999, 'unknown'],
      [3000, 4499, 'available'],
      [4500, 5999, 'available-idle'],
      [6000, 7499, 'busy'],
      [7500, 8999, 'busy-idle'],
      [9000, 11999, 'do-not-disturb'],
      [12000, 14999, 'be-right-back'],
      [15000, 17999, 'away'],
      [18000, 40000, 'offline'],
    ];
    for (const [from, to, mode] of classes)
      for (const n of [from, from + 1, to - 1, to]) assert.equal(modeOf(n), mode, String(n));
  });

  it('shows the device of the most active endpoint and whether all are mobile, for every pair of devices', () => {
    const kinds = MACHINES.flatMap(machine => DEVICES.map(device => ({ machine, device })));
    for (const [a, b] of sequences(kinds, 2) as [(typeof kinds)[0], (typeof kinds)[0]][]) {
      const state = stateOf(person([a, b].map(k => endpoint(k.machine, { device: k.device }))));
      const best = kinds.find(k => [a, b].some(x => x.machine === k.machine && x.device === k.device));
      assert.equal(state.device, best?.device);
      assert.equal(state.mobileOnly, a.device === 'mobile' && b.device === 'mobile');
    }
  });

  it('shows no device of somebody offline or appearing so', () => {
    const phone = endpoint('active', { device: 'mobile' });
    const reallyOffline = stateOf(person([]));
    assert.deepEqual(stateOf(person([phone], 'appear-offline')), reallyOffline);
    assert.deepEqual([reallyOffline.device, reallyOffline.mobileOnly], [undefined, false]);
  });

  it('does not depend on the order of endpoints', () => {
    for (const [manual] of TABLE)
      for (const machines of sequences(MACHINES, 3)) {
        const set = machines.map((m, i) => endpoint(m, { device: DEVICES[i] as Device }));
        const results = permutations(set).map(endpoints => aggregate(person(endpoints, manual), NOW, T));
        for (const result of results) assert.deepEqual(result, results[0]);
      }
  });

  it('never changes availability by a device that is less active', () => {
    for (const [manual] of TABLE)
      for (const machines of sequences(MACHINES, 3)) {
        const set = machines.map(m => endpoint(m));
        const most = Math.min(...machines.map(m => MACHINES.indexOf(m)));
        const before = stateOf(person(set, manual));
        for (const less of MACHINES.slice(most)) {
          const after = stateOf(person([...set, endpoint(less)], manual));
          assert.equal(after.availability, before.availability);
        }
      }
  });
});

describe('time', () => {
  it('makes a silent device inactive after five minutes and away after ten', () => {
    const doc = person([endpoint('active')]);
    assert.equal(stateOf(doc, NOW + 299_999).availability, 3500);
    assert.equal(stateOf(doc, NOW + 300_000).availability, 5000);
    assert.equal(stateOf(doc, NOW + 599_999).availability, 5000);
    assert.equal(stateOf(doc, NOW + 600_000).availability, 15500);
    assert.equal(aggregate(doc, NOW, T).nextChangeAt, NOW + 300_000);
    assert.equal(aggregate(doc, NOW + 300_000, T).nextChangeAt, NOW + 600_000);
    assert.equal(aggregate(doc, NOW + 600_000, T).nextChangeAt, undefined);
  });

  it('makes an inactive device away after five minutes more, and leaves one that is away', () => {
    const doc = person([endpoint('inactive')]);
    assert.equal(stateOf(doc, NOW + 299_999).availability, 5000);
    assert.equal(stateOf(doc, NOW + 300_000).availability, 15500);
    assert.equal(aggregate(person([endpoint('away')]), NOW, T).nextChangeAt, undefined);
  });

  it('stands still for a device whose connection is lost, until the grace is over', () => {
    const doc = person([endpoint('active', { goneAt: NOW + 290_000, lost: 'closed' })]);
    assert.equal(stateOf(doc, NOW + 349_999).availability, 3500);
    assert.equal(stateOf(doc, NOW + 350_000).availability, 18500);
    assert.equal(aggregate(doc, NOW + 290_000, T).nextChangeAt, NOW + 350_000);
  });

  it('ends a choice at its end', () => {
    const doc = person([endpoint('active', { reportedAt: NOW + 900 })], 'busy', NOW + 1000);
    assert.equal(stateOf(doc, NOW + 999).availability, 6500);
    assert.equal(stateOf(doc, NOW + 1000).availability, 3500);
    assert.equal(aggregate(doc, NOW, T).nextChangeAt, NOW + 1000);
  });

  it('passes over moments at which nobody would see a difference', () => {
    const disturbed = person([endpoint('active')], 'do-not-disturb', NOW + 5_000_000);
    assert.equal(aggregate(disturbed, NOW, T).nextChangeAt, NOW + 5_000_000);
    assert.equal(aggregate(person([], 'busy', NOW + 1000), NOW, T).nextChangeAt, undefined);
    const two = person([endpoint('active', { reportedAt: NOW - 200_000 }), endpoint('active')]);
    assert.equal(aggregate(two, NOW, T).nextChangeAt, NOW + 300_000);
  });

  it('names the next change exactly, for a thousand arbitrary people', () => {
    const next = numbers(20260105);
    const pick = <X>(items: readonly X[]): X => items[Math.floor(next() * items.length)] as X;
    const states = TABLE.map(([manual]) => manual);
    for (let round = 0; round < 1000; round++) {
      const endpoints = Array.from({ length: Math.floor(next() * 5) }, () => {
        const reportedAt = NOW - Math.floor(next() * 700_000);
        const gone = next() < 0.3 ? { goneAt: NOW - Math.floor(next() * 70_000), lost: 'closed' as const } : {};
        return endpoint(pick(MACHINES), { device: pick(DEVICES), reportedAt, ...gone });
      });
      const ends = next() < 0.5 ? NOW + Math.floor(next() * 900_000) : undefined;
      const doc = person(endpoints, pick(states), ends);
      const { state, nextChangeAt } = aggregate(doc, NOW, T);
      const horizon = nextChangeAt ?? NOW + 2_000_000;
      for (let i = 0; i < 20; i++) {
        const at = NOW + Math.floor(next() * (horizon - NOW));
        assert.deepEqual(stateOf(doc, at), state, `nothing changes before ${horizon - NOW}`);
      }
      if (nextChangeAt === undefined) continue;
      assert.ok(nextChangeAt > NOW);
      const removed = (at: number) => endpoints.filter(e => removedAt(e, at, T)).length;
      const differs = JSON.stringify(stateOf(doc, nextChangeAt)) !== JSON.stringify(state);
      assert.ok(differs || removed(nextChangeAt) > removed(nextChangeAt - 1), 'something changes then');
    }
  });

  it('never makes a device more active', () => {
    for (const machine of MACHINES) {
      const e = endpoint(machine);
      let last = 0;
      for (let at = NOW; at <= NOW + 1_300_000; at += 10_000) {
        const rank = MACHINES.indexOf(machineStateAt(e, at, T));
        assert.ok(rank >= last);
        last = rank;
      }
    }
  });
});

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
