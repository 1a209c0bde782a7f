import { AVAILABILITY, modeOf } from './availability.ts';
import { type Machine, mostActive, removedAt, silenceLimits } from './endpoints.ts';
import type { Device, ManualState, Mode, PersonDoc, Timing } from './person.ts';

export type Activity = '' | 'off-work' | 'urgent-interruptions-only';

/** Presence as everything known adds up to, before anybody's level takes something away. */
export interface AggregateState {
  readonly availability: number;
  readonly mode: Mode;
  readonly activity: Activity;
  /** The most active device; undefined when offline. */
  readonly device: Device | undefined;
  readonly mobileOnly: boolean;
}

export interface Aggregate {
  readonly state: AggregateState;
  /** When time alone changes the state or ends a grace; undefined when it never does. */
  readonly nextChangeAt: number | undefined;
}

/** Adds up manual state and endpoints. Nothing else is looked at, and the order of endpoints does not matter. */
export function aggregate(doc: PersonDoc, now: number, timing: Timing): Aggregate {
  const state = stateAt(doc, now, timing);
  return { state, nextChangeAt: nextChange(doc, now, timing, state) };
}

function stateAt(doc: PersonDoc, now: number, timing: Timing): AggregateState {
  const machine = mostActive(doc.endpoints, now, timing);
  const manual = manualAt(doc, now);
  if (!machine || manual === 'appear-offline') return OFFLINE;
  const availability = availabilityOf(manual, machine);
  return {
    availability,
    mode: modeOf(availability),
    activity: manual === 'off-work' ? 'off-work' : '',
    device: machine.device,
    mobileOnly: machine.mobileOnly,
  };
}

const OFFLINE: AggregateState = {
  availability: AVAILABILITY.offline,
  mode: 'offline',
  activity: '',
  device: undefined,
  mobileOnly: false,
};

/** The state chosen by hand that is in force. */
export function manualAt(doc: PersonDoc, now: number): ManualState | undefined {
  const { manual } = doc;
  return manual && (manual.endsAt === undefined || now < manual.endsAt) ? manual.state : undefined;
}

/** A choice outranks the devices; they only tell whether an available or busy person is at one of them. */
function availabilityOf(manual: ManualState | undefined, machine: Machine): number {
  const present = machine.state === 'active';
  switch (manual) {
    case 'online':
      return present ? AVAILABILITY.available : AVAILABILITY.availableIdle;
    case 'busy':
      return present ? AVAILABILITY.busy : AVAILABILITY.busyIdle;
    case 'do-not-disturb':
      return AVAILABILITY.doNotDisturb;
    case 'be-right-back':
      return AVAILABILITY.beRightBack;
    case 'away':
    case 'off-work':
      return AVAILABILITY.away;
    case 'appear-offline':
      return AVAILABILITY.offline;
    case undefined:
      if (machine.state === 'away') return AVAILABILITY.away;
      return present ? AVAILABILITY.available : AVAILABILITY.availableIdle;
  }
}

/** The first moment at which the state differs or an endpoint has to be taken out of the document. */
function nextChange(doc: PersonDoc, now: number, timing: Timing, state: AggregateState): number | undefined {
  const moments: number[] = [];
  if (doc.manual?.endsAt !== undefined) moments.push(doc.manual.endsAt);
  for (const endpoint of doc.endpoints) {
    if (endpoint.goneAt === undefined) moments.push(...silenceLimits(endpoint, timing));
    else moments.push(endpoint.goneAt + timing.graceMs);
  }
  moments.sort((a, b) => a - b);
  for (const at of moments) {
    if (at <= now) continue;
    const removes = doc.endpoints.some(e => removedAt(e, at, timing) && !removedAt(e, now, timing));
    if (removes || !sameState(stateAt(doc, at, timing), state)) return at;
  }
  return undefined;
}

function sameState(a: AggregateState, b: AggregateState): boolean {
  return (
    a.availability === b.availability &&
    a.activity === b.activity &&
    a.device === b.device &&
    a.mobileOnly === b.mobileOnly
  );
}
