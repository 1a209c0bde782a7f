import type { Clock, Ids, Logger, Metrics } from '@parley/runtime';

/** How the process proves to NATS who it is; at most one kind. Files are read again at every connection. */
export interface NatsCredentials {
  /** A `.creds` file: user JWT and seed. */
  readonly credentialsFile?: string;
  /** A file with an nkey seed (`SU…`). */
  readonly nkeySeedFile?: string;
  /** A file with a token. */
  readonly tokenFile?: string;
  /** A user, with the password in a file. */
  readonly user?: string;
  readonly passwordFile?: string;
}

/** How to reach NATS. */
export interface NatsBusOptions extends NatsCredentials {
  /** `nats://host:port` or `tls://host:port`; one is enough, the others of its cluster are learnt whenever a connection is made. */
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
  /** Milliseconds until a subscription that the server did not allow is tried again; default 10,000. */
  readonly deniedRetryMs?: number;
  /** Milliseconds `flush` may take; default 5,000. */
  readonly flushTimeoutMs?: number;
}
