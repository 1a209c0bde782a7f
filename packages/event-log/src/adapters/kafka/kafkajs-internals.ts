/** Shapes of kafkajs 2.2.4 below its public types, as far as kafkajs.ts uses them. */

/** An error with the name of the protocol's error code. */
export interface ProtocolError extends Error {
  readonly type?: string;
  readonly retriable?: boolean;
}

export interface RawMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

export interface RawProduceResult {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: string;
}

export interface RawMetadata {
  readonly clusterId?: string | null;
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

export interface Protocol {
  readonly request: { encode(): Promise<unknown> };
  readonly response: { decode(raw: unknown): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

export interface TopicPartitions<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

export interface BrokerInternals {
  readonly connectionPool: { send(protocol: Protocol): Promise<unknown> };
  lookupRequest(apiKey: number, request: unknown): (payload: Record<string, unknown>) => Protocol;
  metadata(topics: readonly string[]): Promise<RawMetadata>;
  fetch(request: Record<string, unknown>): Promise<{ responses: { partitions: { messages: RawMessage[] }[] }[] }>;
  createTopics(request: Record<string, unknown>): Promise<unknown>;
  deleteRecords(request: { topics: TopicPartitions<{ partition: number; offset: string }>[] }): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: TopicPartitions<{ partition: number }>[];
  }): Promise<{ responses: TopicPartitions<{ partition: number; offset: string }>[] }>;
  offsetCommit(request: Record<string, unknown>): Promise<unknown>;
}

export interface ClusterInternals {
  readonly brokerPool: { readonly metadata: RawMetadata | null };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  getNodeIds(): (number | string)[];
  findBroker(options: { nodeId: number | string }): Promise<BrokerInternals>;
  findControllerBroker(): Promise<BrokerInternals>;
  findGroupCoordinator(options: { groupId: string }): Promise<BrokerInternals>;
  removeBroker(address: { host: string | undefined; port: number | undefined }): void;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<TopicPartitions<{ partition: number; offset: string }>[]>;
}

/** Requests of one connection. */
export interface RequestQueueInternals {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, RequestInternals>;
  readonly requestTimeout: number;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  scheduleCheckPendingRequests(): void;
  /** Begins to look for requests that take too long. */
  scheduleRequestTimeoutCheck(): void;
  /** Ends that. */
  destroy(): void;
}

/** A request that was sent. Times in milliseconds. */
export interface RequestInternals {
  readonly sentAt: number;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** A member of a group of consumers. */
export interface ConsumerGroupInternals {
  /** When it last told that it lives, by the machine's clock. */
  lastRequest: number;
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

/** One of the two connections to a broker. */
export interface ConnectionInternals {
  socket: unknown;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}
