/** Lease of one session-pod incarnation. */
export interface LeaseDoc {
  readonly _id: string;
  readonly _rev?: number;
  readonly v: 1;
  /** Until when the pod's endpoints are taken for alive. */
  readonly expiresAt: number;
  /** When the sweep has to look at it; the index by which it does. */
  readonly dueAt: number;
  /** Its endpoints were given the grace; it stays for a while, to catch endpoints opened at the last moment. */
  readonly ended?: boolean;
}

/** Timing of leases, milliseconds. */
export interface LeaseTiming {
  /** How often an ended lease is looked at again. */
  readonly recheckMs: number;
  /** When an ended lease is forgotten; longer than any lease lasts. */
  readonly keepEndedMs: number;
}

/** The pod says it lives. */
export function renew(lease: LeaseDoc | undefined, pod: string, now: number, durationMs: number): LeaseDoc {
  const { ended: _ended, ...kept } = lease ?? { _id: pod };
  return { ...kept, _id: pod, v: 1, expiresAt: now + durationMs, dueAt: now + durationMs };
}

/** The pod stops now. A lease that is over already stays as it is. */
export function release(lease: LeaseDoc | undefined, pod: string, now: number): LeaseDoc {
  if (lease && !isLive(lease, now)) return lease;
  return { ...lease, _id: pod, v: 1, expiresAt: now, dueAt: now };
}

/** Whether the pod's endpoints are taken for alive. */
export function isLive(lease: LeaseDoc | undefined, now: number): boolean {
  return lease !== undefined && lease.expiresAt > now;
}

export type LeaseStep =
  /** Store `claimed` first, so that a pod that renews meanwhile takes it back, then give its endpoints the grace. */
  { readonly do: 'end'; readonly endedAt: number; readonly claimed: LeaseDoc } | { readonly do: 'forget' };

/** What the sweep has to do about a lease that is due. */
export function nextStep(lease: LeaseDoc, now: number, timing: LeaseTiming): LeaseStep {
  if (lease.ended && lease.expiresAt + timing.keepEndedMs <= now) return { do: 'forget' };
  return { do: 'end', endedAt: lease.expiresAt, claimed: { ...lease, dueAt: now + timing.recheckMs, ended: true } };
}
