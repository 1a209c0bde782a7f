import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { type Clock, type Ids, type Logger, type Metrics, systemIds } from '@parley/runtime';
import { createAuthenticator, type NatsCredentials } from './credentials.ts';

/** How to reach NATS. */
export interface NatsBusOptions extends NatsCredentials {
  /** `nats://host:port` or `tls://host:port`; one is enough, the others of its cluster are learnt. */
  readonly servers: readonly string[];
  /** Shown by NATS as the name of the connection, e.g. the name of the pod. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Jitter of reconnects; default the system's. */
  readonly ids?: Pick<Ids, 'fraction'>;
  /** Files in PEM; given at all (even empty), the connection must be TLS. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Milliseconds within which the first connection must stand; default 30,000. Later ones are tried for ever. */
  readonly connectTimeoutMs?: number;
  /** Shortest and longest wait between two attempts to reconnect, milliseconds; random between them. Default 100 to 2,000. */
  readonly reconnectMinMs?: number;
  readonly reconnectMaxMs?: number;
  /** Milliseconds between pings; two without an answer mean a broken connection. Default 10,000. */
  readonly pingMs?: number;
  /** Milliseconds `flush` may take; default 5,000. */
  readonly flushTimeoutMs?: number;
}

/** The wait before the next attempt to connect, milliseconds. */
export function reconnectDelay(options: NatsBusOptions): number {
  const low = options.reconnectMinMs ?? 100;
  const high = Math.max(low, options.reconnectMaxMs ?? 2000);
  return Math.round(low + (options.ids ?? systemIds).fraction() * (high - low));
}

/** What the library is told. */
export function connectionOptions(options: NatsBusOptions): NodeConnectionOptions {
  const authenticator = createAuthenticator(options, options.logger);
  return {
    servers: [...options.servers],
    name: options.name,
    maxReconnectAttempts: -1,
    // A rotated secret may be refused for a while; giving up would need a restart.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    reconnectDelayHandler: () => reconnectDelay(options),
    timeout: 5000,
    pingInterval: options.pingMs ?? 10_000,
    maxPingOut: 2,
    ...(authenticator && { authenticator }),
    ...(options.tls && { tls: { ...options.tls } }),
  };
}
