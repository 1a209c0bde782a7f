import { isLive, type LeaseDoc } from '../domain/lease.ts';
import type { Leases } from '../ports/leases.ts';
import type { Time } from '../ports/time.ts';

/** Pods remembered as alive; a pool has a few dozen. */
const REMEMBERED = 10_000;

/** Which session pods live. */
export class LiveLeases {
  readonly #leases: Leases;
  readonly #time: Time;
  readonly #until = new Map<string, number>();

  constructor(leases: Leases, time: Time) {
    this.#leases = leases;
    this.#time = time;
  }

  /**
   * Whether endpoints may be opened at a pod. From memory while the lease last seen lasts: should it have been released
   * elsewhere, the sweep finds the endpoint when it looks at the ended lease again.
   */
  async has(pod: string): Promise<boolean> {
    if ((this.#until.get(pod) ?? 0) > this.#time.now()) return true;
    const lease = await this.#leases.get(pod);
    if (lease) this.noted(lease);
    return isLive(lease, this.#time.now());
  }

  /** Those of `pods` that live, from the store: endpoints are removed by the answer. */
  async among(pods: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#leases.getMany(pods);
    const now = this.#time.now();
    return new Set(found.filter(lease => isLive(lease, now)).map(lease => lease._id));
  }

  /** A lease as it was just read or written. */
  noted(lease: LeaseDoc): void {
    this.#until.delete(lease._id);
    if (this.#until.size >= REMEMBERED) this.#until.clear();
    this.#until.set(lease._id, lease.expiresAt);
  }
}
