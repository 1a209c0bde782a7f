/**
 * The only file that knows kafkajs (docs/adr/0003). It uses the library in two ways: the consumer as it is, and below
 * the producer and admin classes the broker connections themselves, because those classes neither tell the outcome of
 * each partition nor whether a request was sent at all.
 */
import { createRequire } from 'node:module';
import type { Consumer, EachBatchPayload, Kafka as KafkaClient, KafkaConfig, logCreator } from 'kafkajs';
import { EventLogError } from '../../errors.ts';
import {
  type GroupOptions,
  type GroupSession,
  type KafkaBatch,
  type KafkaCluster,
  type KafkaConnectionOptions,
  KafkaFailure,
} from './cluster.ts';
import { asFailure, describe, failureType, unknownTopic } from './failures.ts';
import { mend, type Prototyped } from './kafkajs-defects.ts';
import type {
  BrokerInternals,
  ClusterInternals,
  ConnectionInternals,
  ConsumerGroupInternals,
  ProtocolError,
  RawProduceResult,
  RequestQueueInternals,
} from './kafkajs-internals.ts';
import { toNumber, toRecord } from './records.ts';

const load = createRequire(import.meta.url);
const { Kafka, logLevel } = load('kafkajs') as {
  Kafka: new (config: KafkaConfig) => KafkaClient;
  logLevel: typeof import('kafkajs').logLevel;
};
const Cluster = load('kafkajs/src/cluster') as new (options: Record<string, unknown>) => ClusterInternals;
const socketFactory = load('kafkajs/src/network/socketFactory') as () => unknown;
const { createLogger } = load('kafkajs/src/loggers') as { createLogger(options: Record<string, unknown>): unknown };
const { requests } = load('kafkajs/src/protocol/requests') as { requests: Record<string, unknown> };
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys') as Record<string, number>;
const protocolErrors = load('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): ProtocolError };

mend({
  RequestQueue: load('kafkajs/src/network/requestQueue') as Prototyped<RequestQueueInternals>,
  Connection: load('kafkajs/src/network/connection') as Prototyped<ConnectionInternals>,
  ConsumerGroup: load('kafkajs/src/consumer/consumerGroup') as Prototyped<ConsumerGroupInternals>,
});

/** Opens nothing yet; see {@link KafkaCluster.connect}. */
export function createKafkaCluster(options: KafkaConnectionOptions): KafkaCluster {
  const config = libraryConfig(options);
  const cluster = new Cluster({
    ...config,
    socketFactory: socketFactory(),
    logger: createLogger({ level: logLevel.WARN, logCreator: config.logCreator }),
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    isolationLevel: 0,
  });

  const leaders = (topic: string): readonly number[] | undefined => {
    const found = cluster.brokerPool.metadata?.topicMetadata.find(t => t.topic === topic);
    if (found === undefined) return undefined;
    return [...found.partitionMetadata].sort((a, b) => a.partitionId - b.partitionId).map(p => p.leader);
  };

  async function discover(topic: string): Promise<readonly number[]> {
    return guarded(async () => {
      await cluster.connect();
      await cluster.addMultipleTargetTopics([topic]);
      await cluster.refreshMetadataIfNecessary();
      const known = leaders(topic);
      if (known === undefined) throw unknownTopic(topic);
      return known;
    }, topic);
  }

  async function leaderOf(topic: string, partition: number): Promise<BrokerInternals> {
    const nodeId = (leaders(topic) ?? (await discover(topic)))[partition];
    if (nodeId === undefined) {
      throw new EventLogError('unknown_partition', `topic ${topic} has no partition ${partition}`);
    }
    return cluster.findBroker({ nodeId });
  }

  return {
    connect: () => guarded(() => cluster.connect()),
    close: () => cluster.disconnect(),
    leaders,
    discover,
    get connected() {
      return cluster.isConnected();
    },
    refresh: () => guarded(() => cluster.refreshMetadata()),

    clusterId: () =>
      guarded(async () => {
        await cluster.connect();
        await cluster.refreshMetadataIfNecessary();
        const id = cluster.brokerPool.metadata?.clusterId;
        if (id === undefined || id === null) throw new Error('the broker does not tell its cluster id');
        return id;
      }),

    settled: topic =>
      guarded(async () => {
        await cluster.refreshMetadata();
        for (const nodeId of cluster.getNodeIds()) {
          const broker = await cluster.findBroker({ nodeId });
          const metadata = await broker.metadata([topic]);
          const ready = metadata.topicMetadata[0]?.partitionMetadata.every(p => p.leader >= 0) ?? false;
          if (!ready) return false;
        }
        return true;
      }).catch(err => {
        if (err instanceof KafkaFailure && NOT_YET.has(err.type)) return false;
        throw err;
      }),

    async produce(nodeId, topic, batches) {
      let sent = false;
      try {
        const broker = await cluster.findBroker({ nodeId });
        const protocol = broker.lookupRequest(
          apiKeys['Produce'] as number,
          requests['Produce'],
        )({
          acks: -1,
          timeout: options.requestTimeoutMs,
          topicData: [{ topic, partitions: batches }],
        });
        const encode = protocol.request.encode;
        const data = await broker.connectionPool.send({
          request: {
            ...protocol.request,
            encode: () => {
              sent = true;
              return encode();
            },
          },
          // The library's own parse throws at the first partition that failed and forgets the others.
          response: { decode: protocol.response.decode, parse: async decoded => decoded },
        });
        const results = (data as { topics: { partitions: RawProduceResult[] }[] }).topics.flatMap(t => t.partitions);
        return results.map(({ partition, errorCode, baseOffset }) => ({
          partition,
          error: errorCode === 0 ? undefined : describe(protocolErrors.createErrorFromCode(errorCode)),
          baseOffset: toNumber(baseOffset),
        }));
      } catch (err) {
        await forgetBroker(err);
        throw asFailure(err, sent);
      }
    },

    fetch: (topic, partition, from, maxBytes) =>
      guarded(async () => {
        const broker = await leaderOf(topic, partition);
        const { responses } = await broker.fetch({
          maxWaitTime: 100,
          minBytes: 1,
          maxBytes,
          isolationLevel: 0,
          topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes }] }],
        });
        const found = responses.flatMap(r => r.partitions).flatMap(p => p.messages);
        return found.map(m => toRecord(partition, m)).filter(r => r.offset >= from);
      }, topic),

    ends: topic =>
      guarded(async () => {
        const partitions = (await discover(topic)).map((_, partition) => ({ partition }));
        const [low, high] = await Promise.all(
          [true, false].map(async fromBeginning => {
            const answer = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }]);
            return new Map(answer.flatMap(a => a.partitions).map(p => [p.partition, toNumber(p.offset)]));
          }),
        );
        return partitions.map(({ partition }) => ({
          partition,
          low: low?.get(partition) ?? 0,
          high: high?.get(partition) ?? 0,
        }));
      }, topic),

    createTopic: (name, { partitions, replicationFactor, config: entries }) =>
      guarded(async () => {
        // Asking first spares the brokers' and our own log an error for every topic that is there.
        const exists = await discover(name).then(
          () => true,
          err => {
            if (err instanceof EventLogError) return false;
            throw err;
          },
        );
        if (exists) return 'existed';
        const controller = await cluster.findControllerBroker();
        try {
          const configEntries = Object.entries(entries).map(([key, value]) => ({ name: key, value }));
          await controller.createTopics({
            topics: [{ topic: name, numPartitions: partitions, replicationFactor, configEntries }],
            timeout: options.requestTimeoutMs,
          });
          return 'created';
        } catch (err) {
          if (failureType(err) === 'TOPIC_ALREADY_EXISTS') return 'raced';
          throw err;
        }
      }),

    deleteRecords: (topic, partition, before) =>
      guarded(async () => {
        const broker = await leaderOf(topic, partition);
        await broker.deleteRecords({ topics: [{ topic, partitions: [{ partition, offset: String(before) }] }] });
      }, topic),

    committed: (topic, group) =>
      guarded(async () => {
        const partitions = (await discover(topic)).map((_, partition) => ({ partition }));
        const coordinator = await cluster.findGroupCoordinator({ groupId: group });
        const { responses } = await coordinator.offsetFetch({ groupId: group, topics: [{ topic, partitions }] });
        const found = responses.flatMap(r => r.partitions).map(p => [p.partition, toNumber(p.offset)] as const);
        return new Map(found.filter(([, offset]) => offset >= 0).sort(([a], [b]) => a - b));
      }, topic),

    commit: (topic, group, positions) =>
      guarded(async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId: group });
        const partitions = [...positions].map(([partition, offset]) => ({ partition, offset: String(offset) }));
        await coordinator.offsetCommit({
          groupId: group,
          groupGenerationId: -1,
          memberId: '',
          topics: [{ topic, partitions }],
        });
      }, topic),

    join: group => join(config, group),
  };

  async function guarded<T>(call: () => Promise<T>, topic?: string): Promise<T> {
    try {
      return await call();
    } catch (err) {
      if (err instanceof EventLogError) throw err;
      await forgetBroker(err);
      if (topic !== undefined && failureType(err) === 'UNKNOWN_TOPIC_OR_PARTITION') throw unknownTopic(topic);
      throw asFailure(err, true);
    }
  }

  /** What the library's own producer does when a connection was closed. */
  async function forgetBroker(err: unknown): Promise<void> {
    const { name, host, port } = err as { name?: string; host?: string; port?: number };
    if (name === 'KafkaJSConnectionClosedError') cluster.removeBroker({ host, port });
  }
}

const NOT_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

async function join(config: KafkaConfig, options: GroupOptions): Promise<GroupSession> {
  const { topic, group } = options;
  const joined = Promise.withResolvers<void>();
  const crashed = Promise.withResolvers<Error>();
  // A client of its own: those of one client share what they know of a group's positions and mix it up.
  const consumer: Consumer = new Kafka(config).consumer({
    groupId: group,
    sessionTimeout: options.sessionTimeoutMs,
    heartbeatInterval: Math.floor(options.sessionTimeoutMs / 4),
    maxWaitTimeInMs: options.fetchWaitMs,
    maxBytesPerPartition: 4 * 1024 * 1024,
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    readUncommitted: true,
    // Whoever holds the session starts anew after a crash.
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 3, restartOnFailure: async () => false },
  });
  consumer.on('consumer.group_join', ({ payload }) => {
    options.onAssigned(payload.memberAssignment[topic] ?? []);
    joined.resolve();
  });
  consumer.on('consumer.crash', ({ payload }) => {
    crashed.resolve(payload.error);
    joined.reject(payload.error);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 16,
      eachBatch: payload => options.onBatch(toBatch(payload)),
    });
    await joined.promise;
  } catch (err) {
    await consumer.disconnect().catch(() => {});
    throw asFailure(err, true);
  }
  return { leave: () => consumer.disconnect(), crashed: crashed.promise };
}

function toBatch(payload: EachBatchPayload): KafkaBatch {
  const { batch } = payload;
  const { topic, partition } = batch;
  return {
    partition,
    records: batch.messages.map(m => toRecord(partition, m)),
    high: toNumber(batch.highWatermark),
    running: () => payload.isRunning() && !payload.isStale(),
    async commit(offset) {
      const next = String(offset + 1);
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] });
      payload.resolveOffset(String(offset));
    },
    heartbeat: () => payload.heartbeat(),
    pause: () => payload.pause(),
  };
}

function libraryConfig({ brokers, clientId, log: quiet, requestTimeoutMs, ssl, sasl }: KafkaConnectionOptions) {
  const creator: logCreator =
    () =>
    ({ namespace, level, log }) => {
      // What the library calls an error is mostly a lost connection it deals with itself.
      const { message, broker, groupId, error } = log as unknown as Record<
        'message' | 'broker' | 'groupId' | 'error',
        string | undefined
      >;
      const fields = { part: namespace, message, broker, groupId, reason: error };
      if (level <= logLevel.WARN) quiet.warn('log.kafka.client', `${namespace} ${message} ${broker}`, fields);
    };
  return {
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3000,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { retries: 0, initialRetryTime: 50 },
    logLevel: logLevel.WARN,
    logCreator: creator,
    ...(ssl && { ssl: { ...ssl } }),
    ...(sasl && { sasl: sasl as NonNullable<KafkaConfig['sasl']> }),
  } satisfies KafkaConfig;
}
