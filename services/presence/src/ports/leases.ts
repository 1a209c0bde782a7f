import type { LeaseDoc } from '../domain/lease.ts';

/** Leases of session pods. */
export interface Leases {
  get(pod: string): Promise<LeaseDoc | undefined>;
  getMany(pods: readonly string[]): Promise<readonly LeaseDoc[]>;
  /** False when somebody changed it since it was read. */
  save(lease: LeaseDoc): Promise<boolean>;
  /** Removes it if nobody changed it since it was read. */
  forget(lease: LeaseDoc): Promise<void>;
  /** Leases to look at by `now`. */
  due(now: number, limit: number): Promise<readonly LeaseDoc[]>;
  /** All of them, up to `limit`. */
  all(limit: number): Promise<readonly LeaseDoc[]>;
}
