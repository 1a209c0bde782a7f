import { getCACertificates } from 'node:tls';
import { ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { Clock, TlsSource } from '@parley/runtime';
import type { ChannelEvents } from './channel-events.ts';
import { renewedChannelCredentials } from './tls.ts';

/** Settings of {@link createGrpcChannel}. Times in milliseconds. */
export interface GrpcChannelOptions {
  /** `host:port`, or several; every address that a name resolves to is a replica and gets its share of the calls. */
  readonly target: string | readonly string[];
  /** How names become addresses; default: as the operating system resolves them. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** How often names are looked up again, default 10,000. */
  readonly resolveMs?: number;
  /** The calling service's own token, see `createServiceTokenSource` of `@parley/auth`. */
  readonly serviceTokens: () => string | Promise<string>;
  readonly clock?: Clock;
  /** PEM texts, or a source that may renew them; without `tls` the connection is in clear. */
  readonly tls?: { readonly ca?: string; readonly key?: string; readonly cert?: string } | TlsSource;
  /** Of unary calls that ask for none, default 10,000. */
  readonly defaultTimeoutMs?: number;
  /** A silent connection is asked for a sign of life after this time, default 30,000. */
  readonly keepaliveMs?: number;
  /** Default 10,000. */
  readonly keepaliveTimeoutMs?: number;
  /** Longest pause between two tries to connect, default 5,000. */
  readonly maxReconnectMs?: number;
  /** Largest response, bytes, default 8 MiB. */
  readonly maxMessageBytes?: number;
  /** Unary calls at once with one replica, default 1,000; past it calls are refused with `rpc.busy`. */
  readonly maxInFlight?: number;
  /**
   * How often a call of a method that the contract calls idempotent is made, repetitions included, when nobody answers;
   * default 3. Every tenth call may be repeated, and two in a second.
   */
  readonly attempts?: number;
  /**
   * A call that only reads (`idempotency_level = NO_SIDE_EFFECTS`) and has no answer after this time is made with another
   * replica as well; the first answer counts. Default 1,000. Counts as an attempt, and as one of the repeated.
   */
  readonly hedgeMs?: number;
  /** Pause before the first repetition, default 20; doubles, with a jitter of half. */
  readonly backoffMs?: number;
  /** Unanswered calls within ten seconds after which a replica gets none for a while, default 10. */
  readonly circuitFailures?: number;
  /** That while, default 1,000; doubles as long as trials fail, up to ten times as long. */
  readonly circuitOpenMs?: number;
  /** A deadline shorter than this says nothing about the replica that missed it, default 1,000. */
  readonly slowMs?: number;
  /** See {@link createChannelEvents}. */
  readonly events?: ChannelEvents;
  /** From 0 to 1, for jitter. */
  readonly fraction?: () => number;
}

/** How connections of the channel are secured. */
export function credentials({ tls }: GrpcChannelOptions): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  if ('onChange' in tls) return renewedChannelCredentials(tls, () => getCACertificates('default').join('\n'));
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return ChannelCredentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
}

/** The library's options for one address. */
export function channelOptions(options: GrpcChannelOptions, address: string, host: string): ChannelOptions {
  // The certificate is for the name, not for the address it led to.
  const named = address.startsWith(`${host}:`) ? {} : { 'grpc.ssl_target_name_override': host };
  return {
    ...named,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': options.maxReconnectMs ?? 5000,
    'grpc.max_receive_message_length': options.maxMessageBytes ?? 8 * 1024 * 1024,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  };
}
