/** States a person can choose by hand. */
export type ManualState =
  | 'online'
  | 'busy'
  | 'do-not-disturb'
  | 'be-right-back'
  | 'away'
  | 'off-work'
  | 'appear-offline';

/** What somebody does at a device, most active first. */
export type MachineState = 'active' | 'inactive' | 'away';

export type Device = 'computer' | 'web' | 'mobile' | 'desk-phone';

/** How much of a person a watcher sees. */
export type Level = 'external' | 'colleagues' | 'workgroup' | 'friends' | 'blocked';

/** A device somebody is signed in with. */
export interface Endpoint {
  readonly id: string;
  readonly connectionId: string;
  readonly sessionId: string;
  readonly pod: string;
  readonly device: Device;
  /** As last reported; what counts is `machineStateAt`. */
  readonly machine: MachineState;
  /** When it became inactive or away, or was last known to be active. */
  readonly reportedAt: number;
  readonly connectedAt: number;
  /** When the connection was lost; the endpoint stays for the grace after it. */
  readonly goneAt?: number;
  /** A connection lost by a lapsed lease comes back when the pod does; a closed one does not. */
  readonly lost?: 'closed' | 'lease';
}

/** Makes a watcher a member of a container, which is where presentities say who sees what. */
export interface Membership {
  readonly level: Level;
  readonly kind: 'user' | 'domain' | 'same-enterprise' | 'federated' | 'public-cloud';
  /** Id of the user or name of the domain; the other kinds have none. */
  readonly value?: string;
}

/** Where the view of one level stands in the document's bytes. */
export interface ViewEntry {
  readonly level: Level;
  readonly rev: number;
  /** Access-list revision under which it was stamped. */
  readonly acl: number;
  readonly size: number;
}

/** Everything known of one person's presence: one document, changed by compare-and-set. */
export interface PersonDoc {
  readonly _id: string;
  readonly _rev?: number;
  readonly v: 1;
  readonly manual?: { readonly state: ManualState; readonly setAt: number; readonly endsAt?: number };
  readonly note?: { readonly text: string; readonly setAt: number };
  readonly endpoints: readonly Endpoint[];
  /** Different pods of `endpoints`, for the index by which a dead pod's endpoints are found. */
  readonly pods: readonly string[];
  /** When time alone will change something; the sweep looks for it. */
  readonly nextChangeAt?: number;
  /** Availability class and since when, for "last active". */
  readonly mode: Mode;
  readonly modeSince: number;
  readonly acl: number;
  readonly members?: readonly Membership[];
  /** Counts visible changes at any level; the source of every view's revision. */
  readonly rev: number;
  readonly views: readonly ViewEntry[];
  /** The encoded views, one after the other: stores read a single field of bytes without copying. */
  readonly bytes: Uint8Array;
  /** Latest requests carried out, newest last. */
  readonly requests: readonly string[];
}

/** Availability classes of the reference table. */
export type Mode =
  | 'unknown'
  | 'available'
  | 'available-idle'
  | 'busy'
  | 'busy-idle'
  | 'do-not-disturb'
  | 'be-right-back'
  | 'away'
  | 'offline';

/** Durations the rules depend on, milliseconds. */
export interface Timing {
  readonly inactiveAfterMs: number;
  readonly awayAfterMs: number;
  readonly graceMs: number;
}

const NO_BYTES = new Uint8Array(0);

/** Somebody of whom nothing is known yet: offline. */
export function newPerson(id: string): PersonDoc {
  return {
    _id: id,
    v: 1,
    endpoints: [],
    pods: [],
    mode: 'offline',
    modeSince: 0,
    acl: 0,
    rev: 0,
    views: [],
    bytes: NO_BYTES,
    requests: [],
  };
}
