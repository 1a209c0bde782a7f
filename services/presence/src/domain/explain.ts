import { CONTAINER, decidingEntry, isDefault, type Watcher } from './access.ts';
import { type Aggregate, aggregate, manualAt } from './aggregate.ts';
import { ACTIVITY, machineStateAt, PRECEDENCE, removedAt } from './endpoints.ts';
import type { Endpoint, Level, MachineState, ManualState, Membership, PersonDoc, Timing } from './person.ts';
import { project, type View } from './project.ts';
import type { Policy } from './settle.ts';

/** How an endpoint fared against the others; the first four decide. */
export type Outcome =
  | 'only'
  | 'most-active'
  | 'kind-first'
  | 'earliest'
  | 'less-active'
  | 'kind-after'
  | 'equal'
  | 'gone';

export interface RankedEndpoint {
  readonly endpoint: Endpoint;
  /** As it counts now. */
  readonly machine: MachineState;
  readonly outcome: Outcome;
}

export type Source = 'no-device' | 'device' | 'choice' | 'choice-and-device';
export type Rule = Membership['kind'] | 'viewer-refused' | 'none';
export type Withheld = 'all' | 'note' | 'device' | 'last-active';

/** What somebody sees of somebody, and why. */
export interface Explanation {
  readonly level: Level;
  /** 0 when nothing but the lack of a rule decided. */
  readonly container: number;
  readonly rule: Rule;
  /** The entry that decided. */
  readonly entry: Membership | undefined;
  readonly defaultEntry: boolean;
  readonly manual: ManualState | undefined;
  readonly endpoints: readonly RankedEndpoint[];
  readonly source: Source;
  readonly aggregate: Aggregate;
  readonly view: View;
  readonly withheld: readonly Withheld[];
}

/** Explains the document as of `now`. Without a `watcher` he is nobody to whom anything is shown. */
export function explain(doc: PersonDoc, watcher: Watcher | undefined, now: number, policy: Policy): Explanation {
  const entry = watcher && decidingEntry(doc, watcher);
  const level = entry?.level ?? 'blocked';
  const endpoints = rankEndpoints(doc.endpoints, now, policy.timing);
  const manual = manualAt(doc, now);
  const whole = aggregate(doc, now, policy.timing);
  const see = (at: Level) => project(whole.state, doc, at, policy.showLastActive);
  return {
    level,
    container: entry ? CONTAINER[level] : 0,
    rule: watcher ? (entry?.kind ?? 'none') : 'viewer-refused',
    entry,
    defaultEntry: entry !== undefined && isDefault(entry),
    manual,
    endpoints,
    source: sourceOf(endpoints, manual),
    aggregate: whole,
    view: see(level),
    withheld: level === 'blocked' ? ['all'] : lost(see('colleagues'), see(level)),
  };
}

/** A choice alone, unless it leaves something to the devices. */
function sourceOf(endpoints: readonly RankedEndpoint[], manual: ManualState | undefined): Source {
  if (!endpoints.some(one => one.outcome !== 'gone')) return 'no-device';
  if (manual === undefined) return 'device';
  return manual === 'online' || manual === 'busy' ? 'choice-and-device' : 'choice';
}

function lost(all: View, shown: View): Withheld[] {
  return [
    ...(all.note !== shown.note ? ['note' as const] : []),
    ...(all.device !== shown.device || all.mobileOnly !== shown.mobileOnly ? ['device' as const] : []),
    ...(all.lastActiveAt !== shown.lastActiveAt ? ['last-active' as const] : []),
  ];
}

/** All endpoints, the one that decides first, those that do not count last. */
export function rankEndpoints(endpoints: readonly Endpoint[], now: number, timing: Timing): readonly RankedEndpoint[] {
  const counted = endpoints
    .filter(endpoint => !removedAt(endpoint, now, timing))
    .map(endpoint => ({ endpoint, machine: machineStateAt(endpoint, now, timing) }))
    .sort((a, b) => ACTIVITY[a.machine] - ACTIVITY[b.machine] || kindOf(a.endpoint) - kindOf(b.endpoint));
  const [first, ...others] = counted;
  const gone = endpoints
    .filter(endpoint => removedAt(endpoint, now, timing))
    .map(endpoint => ({ endpoint, machine: machineStateAt(endpoint, now, timing), outcome: 'gone' as const }));
  if (!first) return gone;
  const after = others.map(one => ({ ...one, outcome: comparedWith(first, one) }));
  return [{ ...first, outcome: whyFirst(after[0]?.outcome) }, ...after, ...gone];
}

type Counted = Omit<RankedEndpoint, 'outcome'>;

const kindOf = (endpoint: Endpoint): number => PRECEDENCE[endpoint.device];

function comparedWith(first: Counted, other: Counted): 'less-active' | 'kind-after' | 'equal' {
  if (ACTIVITY[other.machine] !== ACTIVITY[first.machine]) return 'less-active';
  return kindOf(other.endpoint) === kindOf(first.endpoint) ? 'equal' : 'kind-after';
}

function whyFirst(second: 'less-active' | 'kind-after' | 'equal' | undefined): Outcome {
  if (second === undefined) return 'only';
  if (second === 'less-active') return 'most-active';
  return second === 'kind-after' ? 'kind-first' : 'earliest';
}
