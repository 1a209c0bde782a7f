import type { Clock, Ids, Logger, Metrics } from '@parley/runtime';
import type { BackoffRange } from '../../backoff.ts';

/** How to prove to Kafka who we are. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** File with the password; read when the log connects. */
  readonly passwordFile: string;
}

/** TLS to the brokers; files in PEM. */
export interface KafkaTls {
  /** Certificate authorities to trust; default the system's. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** How to reach Kafka and how topics are made. */
export interface KafkaEventLogOptions {
  /** `host:port` of some brokers; the others are learnt. */
  readonly brokers: readonly string[];
  /** Name of this client in Kafka's logs and quotas. */
  readonly clientId: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  readonly ids?: Pick<Ids, 'fraction'>;
  /** Put before the name of every topic and group, so that installations can share a cluster; default none. */
  readonly topicPrefix?: string;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** Copies of each partition, for topics made here; default 3. */
  readonly replicationFactor?: number;
  /** Copies that must have a record before it counts as durable, for topics made here; default 2. */
  readonly minInsyncReplicas?: number;
  /** Milliseconds within which the first connection must stand; default 30,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds a broker has for one answer; default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Most milliseconds an append waits for company while the log is busy, 0 to 10; default 2. An idle log does not wait. */
  readonly lingerMs?: number;
  /** Waits before a failed batch comes again; default 100 ms to 30 s. */
  readonly backoff?: BackoffRange;
  /** Milliseconds without a heartbeat after which a consumer counts as gone; default 10,000. */
  readonly sessionTimeoutMs?: number;
  /** Milliseconds a fetch waits at the broker for something new; a stop may take as long. Default 1,000. */
  readonly fetchWaitMs?: number;
  /** Milliseconds between reports of the lag; default 10,000. */
  readonly lagMs?: number;
}
