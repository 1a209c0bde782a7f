import type { Logger, Metrics } from '@parley/runtime';
import { statusNames } from './status.ts';

/** What a channel to another service tells: counters, and lines for what an operator wants to know. */
export interface ChannelEvents {
  /** A call ended; `status` is its gRPC status. */
  ended(status: number, seconds: number): void;
  /** Calls under way became one more (1) or less (-1). */
  underWay(by: 1 | -1): void;
  /** A call is made again, or would be if the budget allowed it. */
  repeated(allowed: boolean): void;
  /** A call that has waited long is made with another replica as well, or would be if the budget allowed it. */
  hedged(allowed: boolean): void;
  /** A call was refused here, before it was made. */
  refused(reason: 'busy' | 'circuit_open'): void;
  circuit(open: boolean, address: string): void;
  /** The name resolves to so many addresses now. */
  addresses(known: number, changed: number): void;
}

/** Makes the events of channels by the name of the service called. Defines their metrics at once. */
export function createChannelEvents({
  metrics,
  logger,
}: {
  readonly metrics: Metrics;
  readonly logger: Logger;
}): (to: string) => ChannelEvents {
  const calls = metrics.counter({
    name: 'parley_rpc_client_calls_total',
    help: 'Calls to other services that ended, by service called and gRPC status; repetitions are not counted again.',
    labels: ['to', 'status'],
  });
  const seconds = metrics.histogram({
    name: 'parley_rpc_client_seconds',
    help: 'Time from a call to another service to its answer, repetitions included, seconds.',
    labels: ['to'],
  });
  const inFlight = metrics.gauge({
    name: 'parley_rpc_client_in_flight',
    help: 'Calls to other services under way now.',
    labels: ['to'],
  });
  const retries = metrics.counter({
    name: 'parley_rpc_client_retries_total',
    help: 'Calls to other services that were repeated (made), or would have been but for the budget (refused).',
    labels: ['to', 'outcome'],
  });
  const hedges = metrics.counter({
    name: 'parley_rpc_client_hedges_total',
    help: 'Calls to other services without an answer for so long that they were made with another replica as well (made), or would have been but for the budget (refused).',
    labels: ['to', 'outcome'],
  });
  const refusals = metrics.counter({
    name: 'parley_rpc_client_refused_total',
    help: 'Calls to other services refused before they were made: too many under way (busy), or nobody answers (circuit_open).',
    labels: ['to', 'reason'],
  });
  const circuits = metrics.gauge({
    name: 'parley_rpc_client_circuits_open',
    help: 'Replicas of other services that get no calls now because they do not answer.',
    labels: ['to'],
  });
  const replicas = metrics.gauge({
    name: 'parley_rpc_client_addresses',
    help: 'Replicas of other services that are known now.',
    labels: ['to'],
  });
  return to => {
    const label = Object.freeze({ to });
    const byStatus = statusNames.map(status => Object.freeze({ to, status }));
    const made = Object.freeze({ to, outcome: 'made' });
    const forbidden = Object.freeze({ to, outcome: 'refused' });
    return {
      ended(status, took) {
        calls.inc(byStatus[status]);
        seconds.observe(took, label);
      },
      underWay: by => inFlight.inc(label, by),
      repeated: allowed => retries.inc(allowed ? made : forbidden),
      hedged: allowed => hedges.inc(allowed ? made : forbidden),
      refused: reason => refusals.inc({ to, reason }),
      circuit(open, address) {
        circuits.inc(label, open ? 1 : -1);
        if (open) logger.warn('rpc.circuit.opened', { to, address });
        else logger.info('rpc.circuit.closed', { to, address });
      },
      addresses(known, changed) {
        replicas.inc(label, changed);
        logger.info('rpc.addresses.changed', { to, known });
      },
    };
  };
}

/** For channels nobody watches. */
export const noEvents: ChannelEvents = {
  ended() {},
  underWay() {},
  repeated() {},
  hedged() {},
  refused() {},
  circuit() {},
  addresses() {},
};
