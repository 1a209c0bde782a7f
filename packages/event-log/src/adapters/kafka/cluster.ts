import type { LogRecord } from '../../event-log.ts';
import type { QuietLog } from '../../quiet-log.ts';

/** Connection to a cluster, as far as the library needs to be told. */
export interface KafkaConnectionOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Where the library's warnings go. */
  readonly log: QuietLog;
  readonly requestTimeoutMs: number;
  readonly ssl: { readonly ca?: string[]; readonly cert?: string; readonly key?: string } | undefined;
  readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string } | undefined;
}

/** A request that failed. */
export class KafkaFailure extends Error {
  /** Name of Kafka's error, or of the library's. */
  readonly type: string;
  /** Whether it may have reached the broker. */
  readonly sent: boolean;
  /** Whether another attempt may succeed. */
  readonly retriable: boolean;

  constructor(type: string, message: string, options: { sent: boolean; retriable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'KafkaFailure';
    this.type = type;
    this.sent = options.sent;
    this.retriable = options.retriable;
  }
}

/** A record on its way to a partition. */
export interface KafkaMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What became of one partition's records. */
export interface ProduceResult {
  readonly partition: number;
  /** Undefined when they were written. */
  readonly error: { readonly type: string; readonly message: string } | undefined;
  /** Offset of the first of them. */
  readonly baseOffset: number;
}

/** A cluster of Kafka. Every call rejects with a {@link KafkaFailure} or, for a topic that is not there, an EventLogError. */
export interface KafkaCluster {
  connect(): Promise<void>;
  close(): Promise<void>;
  readonly connected: boolean;
  clusterId(): Promise<string>;
  /** Node that leads each partition, from what was learnt last; undefined for a topic nobody asked for yet. */
  leaders(topic: string): readonly number[] | undefined;
  /** Learns about a topic. */
  discover(topic: string): Promise<readonly number[]>;
  /** Learns afresh about every topic that was discovered. */
  refresh(): Promise<void>;
  /** Whether every broker knows the topic and each partition has a leader. */
  settled(topic: string): Promise<boolean>;
  produce(node: number, topic: string, batches: readonly PartitionMessages[]): Promise<readonly ProduceResult[]>;
  /** Records from `from` on, as many as `maxBytes` hold, at least one if there is any. */
  fetch(topic: string, partition: number, from: number, maxBytes: number): Promise<readonly LogRecord[]>;
  ends(topic: string): Promise<readonly { readonly partition: number; readonly low: number; readonly high: number }[]>;
  createTopic(name: string, options: NewTopic): Promise<TopicCreation>;
  deleteRecords(topic: string, partition: number, before: number): Promise<void>;
  committed(topic: string, group: string): Promise<ReadonlyMap<number, number>>;
  /** Sets positions of a group that has no members. */
  commit(topic: string, group: string, positions: ReadonlyMap<number, number>): Promise<void>;
  /** Joins a group; see {@link GroupOptions}. Resolves when the group has accepted us. */
  join(options: GroupOptions): Promise<GroupSession>;
}

/** Messages for one partition, in order. */
export interface PartitionMessages {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
}

/** What became of making a topic: `raced` is one that another process made since the broker was asked for it. */
export type TopicCreation = 'created' | 'existed' | 'raced';

/** How a topic is made. */
export interface NewTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** How to consume. */
export interface GroupOptions {
  readonly topic: string;
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly fetchWaitMs: number;
  readonly onBatch: (batch: KafkaBatch) => Promise<void>;
  readonly onAssigned: (partitions: readonly number[]) => void;
}

/** Membership of a group. */
export interface GroupSession {
  /** Lets the batches under way finish and leaves the group. */
  leave(): Promise<void>;
  /** Resolves when the membership ended by itself. */
  readonly crashed: Promise<Error>;
}

/** What a fetch brought of one partition. */
export interface KafkaBatch {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  readonly high: number;
  /** False when the consumer is stopping. */
  running(): boolean;
  /** Records up to and including `offset` are handled; stores that in the group. */
  commit(offset: number): Promise<void>;
  /** To be called now and then while a batch is handled; rejects when the group is being shared out anew. */
  heartbeat(): Promise<void>;
  /** Leaves this partition alone until the returned function is called. */
  pause(): () => void;
}
