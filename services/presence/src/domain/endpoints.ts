import type { Device, Endpoint, MachineState, PersonDoc, Timing } from './person.ts';

/** Ranks of activity; the lowest decides. */
export const ACTIVITY: Readonly<Record<MachineState, number>> = { active: 0, inactive: 1, away: 2 };
/** Settles ties, so that two equally active devices never make presence flicker between them. */
export const PRECEDENCE: Readonly<Record<Device, number>> = { computer: 0, web: 1, 'desk-phone': 2, mobile: 3 };

/** Whether the grace of a lost connection is over. */
export function removedAt(endpoint: Endpoint, now: number, timing: Timing): boolean {
  return endpoint.goneAt !== undefined && endpoint.goneAt + timing.graceMs <= now;
}

/** When silence makes the endpoint inactive and away; a lost connection's state stands still. */
export function silenceLimits(endpoint: Endpoint, timing: Timing): readonly number[] {
  if (endpoint.machine === 'away') return [];
  if (endpoint.machine === 'inactive') return [endpoint.reportedAt + timing.awayAfterMs - timing.inactiveAfterMs];
  return [endpoint.reportedAt + timing.inactiveAfterMs, endpoint.reportedAt + timing.awayAfterMs];
}

/** What the person does at the endpoint, as far as `now` tells. */
export function machineStateAt(endpoint: Endpoint, now: number, timing: Timing): MachineState {
  if (endpoint.machine === 'away') return 'away';
  const silent = Math.min(now, endpoint.goneAt ?? now) - endpoint.reportedAt;
  if (endpoint.machine === 'inactive')
    return silent >= timing.awayAfterMs - timing.inactiveAfterMs ? 'away' : 'inactive';
  if (silent < timing.inactiveAfterMs) return 'active';
  return silent < timing.awayAfterMs ? 'inactive' : 'away';
}

/** What the most active endpoint shows. */
export interface Machine {
  readonly state: MachineState;
  readonly device: Device;
  readonly mobileOnly: boolean;
}

/** The most active endpoint decides; undefined when nobody is signed in. */
export function mostActive(endpoints: readonly Endpoint[], now: number, timing: Timing): Machine | undefined {
  let state: MachineState | undefined;
  let device: Device = 'computer';
  let mobileOnly = true;
  for (const endpoint of endpoints) {
    if (removedAt(endpoint, now, timing)) continue;
    const own = machineStateAt(endpoint, now, timing);
    const rank = state === undefined ? -1 : ACTIVITY[own] - ACTIVITY[state];
    if (rank < 0 || (rank === 0 && PRECEDENCE[endpoint.device] < PRECEDENCE[device])) {
      state = own;
      device = endpoint.device;
    }
    mobileOnly &&= endpoint.device === 'mobile';
  }
  return state === undefined ? undefined : { state, device, mobileOnly };
}

/** A device that connects. */
export type Opening = Pick<Endpoint, 'id' | 'connectionId' | 'sessionId' | 'pod' | 'device' | 'machine'>;

export type Opened =
  | { readonly doc: PersonDoc; readonly replacedSessionId: string; readonly kind: 'new' | 'takeover' | 'replay' }
  | { readonly refused: 'too_many_endpoints' };

/** Adds an endpoint or takes it over; past `limit`, those that are only waiting for the end of their grace give way. */
export function openEndpoint(doc: PersonDoc, opening: Opening, now: number, limit: number): Opened {
  const old = doc.endpoints.find(e => e.id === opening.id);
  if (
    old &&
    old.connectionId === opening.connectionId &&
    old.sessionId === opening.sessionId &&
    old.goneAt === undefined
  )
    return { doc, replacedSessionId: '', kind: 'replay' };
  const fresh: Endpoint = { ...opening, reportedAt: now, connectedAt: now };
  const others = makeRoom(
    doc.endpoints.filter(e => e !== old),
    limit - 1,
  );
  if (!others) return { refused: 'too_many_endpoints' };
  const told = old !== undefined && old.lost !== 'closed' && old.sessionId !== opening.sessionId;
  return {
    doc: { ...doc, endpoints: [...others, fresh] },
    replacedSessionId: told ? old.sessionId : '',
    kind: old ? 'takeover' : 'new',
  };
}

function makeRoom(endpoints: readonly Endpoint[], most: number): readonly Endpoint[] | undefined {
  const surplus = endpoints.length - most;
  if (surplus <= 0) return endpoints;
  const waiting = endpoints.filter(e => e.goneAt !== undefined).sort((a, b) => (a.goneAt ?? 0) - (b.goneAt ?? 0));
  if (waiting.length < surplus) return undefined;
  const evicted = new Set(waiting.slice(0, surplus));
  return endpoints.filter(e => !evicted.has(e));
}

/** A device reports; `applied` is false when another connection holds the endpoint or this one was closed. */
export function reportActivity(
  doc: PersonDoc,
  report: { readonly id: string; readonly connectionId: string; readonly machine: MachineState },
  now: number,
  timing: Timing,
): { readonly doc: PersonDoc; readonly applied: boolean } {
  const old = doc.endpoints.find(e => e.id === report.id);
  if (!old || old.connectionId !== report.connectionId || old.lost === 'closed') return { doc, applied: false };
  if (old.goneAt === undefined && old.machine === report.machine) {
    // Idling goes on from its first report; an active device is noted again only when that makes a difference.
    const again = report.machine === 'active' && now - old.reportedAt >= timing.inactiveAfterMs / 10;
    if (!again) return { doc, applied: true };
  }
  const { goneAt: _goneAt, lost: _lost, ...kept } = old;
  const fresh: Endpoint = { ...kept, machine: report.machine, reportedAt: now };
  return { doc: replaceEndpoint(doc, old, fresh), applied: true };
}

/** A connection ends; by signing out at once, else the endpoint waits for its device to come back. */
export function closeEndpoint(
  doc: PersonDoc,
  closing: { readonly id: string; readonly connectionId: string; readonly signedOut: boolean },
  now: number,
): { readonly doc: PersonDoc; readonly applied: boolean } {
  const old = doc.endpoints.find(e => e.id === closing.id);
  if (!old || old.connectionId !== closing.connectionId) return { doc, applied: false };
  if (closing.signedOut) return { doc: { ...doc, endpoints: doc.endpoints.filter(e => e !== old) }, applied: true };
  if (old.lost === 'closed') return { doc, applied: true };
  return { doc: replaceEndpoint(doc, old, { ...old, goneAt: old.goneAt ?? now, lost: 'closed' }), applied: true };
}

/** The pod's lease ended at `endedAt`: its endpoints begin their grace then. */
export function losePod(doc: PersonDoc, pod: string, endedAt: number): PersonDoc {
  if (!doc.endpoints.some(e => e.pod === pod && e.goneAt === undefined)) return doc;
  return {
    ...doc,
    endpoints: doc.endpoints.map(e =>
      e.pod === pod && e.goneAt === undefined ? { ...e, goneAt: Math.max(endedAt, e.connectedAt), lost: 'lease' } : e,
    ),
  };
}

/** Pods whose lapsed lease cost this person an endpoint. */
export function lostPods(doc: PersonDoc): readonly string[] {
  return doc.endpoints.some(e => e.lost === 'lease')
    ? [...new Set(doc.endpoints.filter(e => e.lost === 'lease').map(e => e.pod))]
    : [];
}

/** The pods hold a lease again: what they still have connected is not lost. */
export function regainPods(doc: PersonDoc, pods: ReadonlySet<string>): PersonDoc {
  if (!doc.endpoints.some(e => e.lost === 'lease' && pods.has(e.pod))) return doc;
  return {
    ...doc,
    endpoints: doc.endpoints.map(e => {
      if (e.lost !== 'lease' || !pods.has(e.pod)) return e;
      const { goneAt: _goneAt, lost: _lost, ...kept } = e;
      return kept;
    }),
  };
}

function replaceEndpoint(doc: PersonDoc, old: Endpoint, fresh: Endpoint): PersonDoc {
  return { ...doc, endpoints: doc.endpoints.map(e => (e === old ? fresh : e)) };
}
