import { type ErrorKind, ParleyError } from '@parley/rpc';
import type { Clock, Ids, Timer } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import { backoff } from '../domain/backoff.ts';
import { Fifo } from '../domain/fifo.ts';
import type { SessionEvents } from '../events.ts';
import type { Endpoint, Endpoints } from '../ports/endpoints.ts';

const FINAL: ReadonlySet<ErrorKind> = new Set(['invalid', 'not_found', 'forbidden', 'unimplemented']);

interface Leaving {
  readonly endpoint: Endpoint;
  readonly signedOut: boolean;
}

interface CloserDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'fraction'>;
  readonly endpoints: Endpoints;
  readonly events: SessionEvents;
}

/** Tells presence which devices went. */
export interface EndpointCloser {
  close(endpoint: Endpoint, signedOut: boolean): void;
  /** Resolves when nothing is left to tell. */
  idle(): Promise<void>;
  stop(): void;
}

/**
 * Presence keeps a device for as long as this process holds its lease, so it must hear of every device that goes:
 * what fails is told again, with limited concurrency, until it was heard or the process stops and gives the lease back.
 */
export function createEndpointCloser({ config, clock, ids, endpoints, events }: CloserDeps): EndpointCloser {
  const queue = new Fifo<Leaving>();
  let running = 0;
  let failures = 0;
  let pause: Timer | undefined;
  let stopped = false;
  let waiters: (() => void)[] = [];

  function pump(): void {
    while (running < config.endpointCloseConcurrency) {
      const next = stopped || pause ? undefined : queue.shift();
      if (!next) break;
      running++;
      void tell(next).finally(() => {
        running--;
        pump();
      });
    }
    if (running > 0 || (queue.length > 0 && !stopped)) return;
    const resolved = waiters;
    waiters = [];
    for (const resolve of resolved) resolve();
  }

  async function tell(leaving: Leaving): Promise<void> {
    try {
      await endpoints.close(leaving.endpoint, leaving.signedOut);
      failures = 0;
    } catch (error) {
      const retried = !stopped && !(error instanceof ParleyError && FINAL.has(error.kind));
      if (retried) queue.push(leaving);
      events.endpointCloseFailed(error, queue.length, retried);
      if (!retried) return;
      failures++;
      const wait = backoff(failures, config.endpointCloseRetryMs, 60_000, ids.fraction());
      pause ??= clock.timer(wait, () => {
        pause = undefined;
        pump();
      });
    }
  }

  return {
    close(endpoint, signedOut) {
      if (stopped) return;
      const { personId, endpointId, connectionId } = endpoint;
      queue.push({ endpoint: { personId, endpointId, connectionId }, signedOut });
      pump();
    },
    idle: () =>
      running === 0 && queue.length === 0 ? Promise.resolve() : new Promise(resolve => waiters.push(resolve)),
    stop() {
      stopped = true;
      pause?.cancel();
      queue.clear();
      pump();
    },
  };
}
