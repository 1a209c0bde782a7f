/** A record to be appended. */
export interface AppendRecord {
  /** Records of one key keep their order and share a partition. 1 to 256 bytes. */
  readonly key: string;
  /** At most 1 MiB. */
  readonly value: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a record stands. */
export interface LogPosition {
  readonly partition: number;
  /** Contiguous from 0 within a partition and epoch. */
  readonly offset: number;
}

/** A record as it is read. */
export interface LogRecord extends LogPosition {
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** When the log took it, milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number;
}

/** Declares a topic; `parley migrate` creates it. Topics have no time retention: only `trim` removes records. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
}

/** First offset still there and next offset to be written, of one partition. */
export interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** A running consumer. */
export interface Consumer {
  /** Resolves when the handler under way has finished and its position is committed. */
  stop(): Promise<void>;
}

/** Records of ONE partition in order. Resolving commits them; rejecting gets them delivered again after a back-off. */
export type BatchHandler = (batch: LogBatch) => Promise<void>;

/** Contiguous records of one partition. */
export interface LogBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Next offset to be written in this partition, as far as known; `high - last - 1` is the lag. */
  readonly high: number;
  /**
   * Aborted when the group is being shared out anew, which waits for this handler: whoever only waits gives up, and the
   * records come again, here or elsewhere. Not every log has one.
   */
  readonly signal?: AbortSignal;
}

/** How a consumer reads. */
export interface ConsumeOptions {
  /** Most records of one batch; default 2,000. */
  readonly maxBatch?: number;
  /** Where a group without a committed position begins; default `earliest`. */
  readonly from?: 'earliest' | 'latest';
}

/** Thrown by `append`. `unknown` means: it may or may not be in the log, now or later. */
export interface AppendFailure extends Error {
  readonly outcome: 'refused' | 'unknown';
}

/**
 * Durable, ordered, replayable log. At least once: a handler must be idempotent.
 */
export interface EventLog {
  /** Identifies the log's history; a new epoch begins when a log is replaced by an empty one. */
  epoch(): Promise<number>;
  /** Creates what is missing, changes nothing that is there. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Resolves, in the order of `records`, when all are durable. Rejects with {@link AppendFailure} when they are not
   * within `deadlineMs` (default 2,000).
   */
  append(
    topic: string,
    records: readonly AppendRecord[],
    options?: { readonly deadlineMs?: number },
  ): Promise<readonly LogPosition[]>;
  /** Consumers of one group share the partitions; each partition has one consumer at a time. */
  consume(topic: string, group: string, handler: BatchHandler, options?: ConsumeOptions): Promise<Consumer>;
  /** Removes records of a partition below `offset`. */
  trim(topic: string, partition: number, offset: number): Promise<void>;
  /** Ends of every partition. */
  ends(topic: string): Promise<readonly PartitionEnds[]>;
  /** Reads again from `from` (inclusive), at most `limit` records, without a group. */
  read(topic: string, partition: number, from: number, limit: number): Promise<readonly LogRecord[]>;
  /** Position committed by a group: next offset to be handled, of each partition it ever committed. */
  committed(topic: string, group: string): Promise<ReadonlyMap<number, number>>;
  /**
   * Sets a group back to the first record there is, so that it handles everything again. Rejects with `invalid` while
   * somebody consumes as this group.
   */
  rewind(topic: string, group: string): Promise<void>;
  /** Whether appends are likely to work now. */
  readonly connected: boolean;
  close(): Promise<void>;
}
