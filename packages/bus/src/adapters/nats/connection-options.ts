import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { systemIds } from '@parley/runtime';
import { createAuthenticator } from './credentials.ts';
import type { NatsBusOptions } from './options.ts';

/** The wait before the next attempt to connect, milliseconds. */
export function reconnectDelay(options: NatsBusOptions): number {
  const low = options.reconnectMinMs ?? 100;
  const high = Math.max(low, options.reconnectMaxMs ?? 2000);
  return Math.round(low + (options.ids ?? systemIds).fraction() * (high - low));
}

/** What the library is told. `learnt`: servers of the cluster that were not named. */
export function connectionOptions(options: NatsBusOptions, learnt: readonly string[]): NodeConnectionOptions {
  const authenticator = createAuthenticator(options, options.logger);
  return {
    servers: [...options.servers, ...learnt],
    name: options.name,
    // It would wait by the machine's clock: set back, nothing was tried until the time was reached again.
    reconnect: false,
    // A rotated secret may be refused for a while; giving up would need a restart.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    timeout: 5000,
    pingInterval: options.pingMs ?? 10_000,
    maxPingOut: 2,
    ...(authenticator && { authenticator }),
    ...(options.tls && { tls: { ...options.tls } }),
  };
}
