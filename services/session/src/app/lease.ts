import type { Clock, Timer } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { SessionEvents } from '../events.ts';
import type { Endpoints } from '../ports/endpoints.ts';

interface LeaseDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly endpoints: Endpoints;
  readonly events: SessionEvents;
  readonly pod: string;
  /** The lease ran out and holds again: presence may have removed the devices of this process. */
  readonly onLapsed: () => void;
}

/** The lease on the devices of this incarnation of the process. */
export interface Lease {
  /** Takes the lease; when presence does not answer, goes on trying. */
  start(): Promise<void>;
  /** Whether devices may be opened now. */
  live(): boolean;
  /** Presence does not know the lease: it is asked for at once. */
  lost(): void;
  /** Gives the lease back: devices get their grace at once. */
  release(): Promise<void>;
}

export function createLease({ config, clock, endpoints, events, pod, onLapsed }: LeaseDeps): Lease {
  /** When the last successful renewal was sent. */
  let renewedAt = Number.NEGATIVE_INFINITY;
  let startedAt = 0;
  let timer: Timer | undefined;
  let stopped = false;
  let underWay: Promise<void> = Promise.resolve();

  let lost = false;

  const live = () => !lost && clock.monotonic() - renewedAt < config.leaseMs;

  async function renew(): Promise<void> {
    const sentAt = clock.monotonic();
    try {
      await endpoints.renewLease(pod, config.leaseMs, false);
      const lapsed = renewedAt > Number.NEGATIVE_INFINITY && !live();
      renewedAt = sentAt;
      lost = false;
      events.leaseRenewed();
      if (lapsed && !stopped) onLapsed();
    } catch (error) {
      events.leaseFailed(error, sentAt - Math.max(startedAt, renewedAt));
    }
    if (!stopped) arm();
  }

  function arm(): void {
    // A lease that does not hold is asked for more often.
    timer = clock.timer(live() ? config.leaseRenewMs : Math.min(1_000, config.leaseRenewMs), () => {
      underWay = renew();
    });
  }

  return {
    start() {
      startedAt = clock.monotonic();
      underWay = renew();
      return underWay;
    },
    live,
    lost() {
      if (lost || stopped) return;
      lost = true;
      timer?.cancel();
      underWay = underWay.then(renew);
    },
    async release() {
      stopped = true;
      timer?.cancel();
      // A renewal that overtakes the release would keep the devices of a process that has gone.
      await underWay;
      renewedAt = Number.NEGATIVE_INFINITY;
      try {
        await endpoints.renewLease(pod, config.leaseMs, true);
      } catch (error) {
        events.leaseFailed(error, 0);
      }
    },
  };
}
