import { readFileSync } from 'node:fs';
import { type Clock, createLoop, systemIds } from '@parley/runtime';
import { DEFAULT_BACKOFF } from '../../backoff.ts';
import { AppendError, EventLogError, inUse } from '../../errors.ts';
import type { EventLog, TopicSpec } from '../../event-log.ts';
import {
  checkAppend,
  checkGroup,
  checkInteger,
  checkTopic,
  DEFAULT_DEADLINE_MS,
  DEFAULT_MAX_BATCH,
  MAX_BATCH_RECORDS,
} from '../../limits.ts';
import { newEpoch } from '../../new-epoch.ts';
import { partitionOfKey } from '../../partition-of-key.ts';
import { createQuietLog } from '../../quiet-log.ts';
import { createLogTelemetry } from '../../telemetry.ts';
import { type AppendPipeline, createAppendPipeline } from './append-pipeline.ts';
import { type KafkaCluster, KafkaFailure } from './cluster.ts';
import { EPOCH_TOPIC, encodeMarker, findEpoch } from './epoch.ts';
import { type GroupConsumer, startGroupConsumer } from './group-consumer.ts';
import { watchHealth } from './health.ts';
import { makeTopic } from './make-topic.ts';
import type { KafkaEventLogOptions } from './options.ts';
import { withPrefix } from './prefix.ts';
import { partitionEnds, readRecords } from './read-records.ts';
import { persistently } from './retry.ts';

/** A value of 1 MiB with its key and headers must pass. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** Connects to Kafka. Rejects with an EventLogError `unavailable` when that takes longer than `connectTimeoutMs`. */
export async function connectKafkaEventLog(options: KafkaEventLogOptions): Promise<EventLog> {
  // Not before it is needed: the standalone edition never loads the library.
  const { createKafkaCluster } = await import('./kafkajs.ts');
  const bare = createKafkaCluster({
    brokers: options.brokers,
    clientId: options.clientId,
    log: createQuietLog(options.logger, options.clock),
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    ssl: options.tls && {
      ...(options.tls.caFile !== undefined && { ca: [readFileSync(options.tls.caFile, 'utf8')] }),
      ...(options.tls.certFile !== undefined && { cert: readFileSync(options.tls.certFile, 'utf8') }),
      ...(options.tls.keyFile !== undefined && { key: readFileSync(options.tls.keyFile, 'utf8') }),
    },
    sasl: options.sasl && {
      mechanism: options.sasl.mechanism,
      username: options.sasl.username,
      password: readFileSync(options.sasl.passwordFile, 'utf8').trim(),
    },
  });
  const cluster = withPrefix(bare, options.topicPrefix ?? '');
  try {
    await persistently(options.clock, options.connectTimeoutMs ?? 30_000, () => cluster.clusterId());
  } catch (err) {
    await cluster.close().catch(() => {});
    throw err;
  }
  return createKafkaEventLog(cluster, options);
}

function createKafkaEventLog(cluster: KafkaCluster, options: KafkaEventLogOptions): EventLog {
  const { clock } = options;
  const ids = options.ids ?? systemIds;
  const limitMs = options.connectTimeoutMs ?? 30_000;
  const telemetry = createLogTelemetry(clock, options.logger, options.metrics);
  const quiet = createQuietLog(options.logger, clock);
  const pipelines = new Map<string, AppendPipeline>();
  const consumers = new Set<() => Promise<void>>();
  const health = watchHealth(cluster, clock);
  let epoch: number | undefined;
  let closed = false;

  const keep = <T>(call: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new EventLogError('closed', 'the event log is closed'));
    return persistently(clock, limitMs, call);
  };

  async function pipelineOf(topic: string): Promise<AppendPipeline> {
    const known = pipelines.get(topic);
    if (known !== undefined) return known;
    const partitions = (await cluster.discover(topic)).length;
    const raced = pipelines.get(topic);
    if (raced !== undefined) return raced;
    const pipeline = createAppendPipeline({
      topic,
      cluster,
      clock,
      partitions,
      lingerMs: options.lingerMs ?? 2,
      partitionOf: key => partitionOfKey(key, partitions),
      onFailure: (type, retried) =>
        quiet.warn('log.kafka.produce_failed', `${topic} ${type} ${retried}`, { topic, type, retried }),
    });
    pipelines.set(topic, pipeline);
    return pipeline;
  }

  async function createTopic(name: string, partitions: number): Promise<void> {
    const made = await makeTopic(cluster, keep, name, {
      partitions,
      replicationFactor: options.replicationFactor ?? 3,
      config: {
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
        'min.insync.replicas': String(options.minInsyncReplicas ?? 2),
        'max.message.bytes': String(MAX_MESSAGE_BYTES),
        'message.timestamp.type': 'LogAppendTime',
        'unclean.leader.election.enable': 'false',
      },
    });
    if (made === 'created') options.logger?.info('log.topic.created', { topic: name });
  }

  async function readEpoch(): Promise<number | undefined> {
    const { low, high } = await partitionEnds(cluster, EPOCH_TOPIC, 0);
    const clusterId = await cluster.clusterId();
    const limit = Math.min(MAX_BATCH_RECORDS, Math.max(1, high - low));
    return findEpoch(await readRecords(cluster, EPOCH_TOPIC, 0, low, limit), clusterId);
  }

  async function ensureEpoch(): Promise<void> {
    await createTopic(EPOCH_TOPIC, 1);
    if ((await keep(readEpoch)) !== undefined) return;
    const next = newEpoch(clock, ids);
    const pipeline = await pipelineOf(EPOCH_TOPIC);
    await pipeline.append([encodeMarker(next, await keep(() => cluster.clusterId()))], limitMs);
  }

  /** A group that is to begin at the end begins where the end is now, whatever happens before its first record. */
  async function beginAtEnd(topic: string, group: string): Promise<void> {
    const [committed, ends] = await Promise.all([cluster.committed(topic, group), cluster.ends(topic)]);
    const missing = ends.filter(({ partition }) => !committed.has(partition));
    if (missing.length === 0) return;
    await cluster.commit(topic, group, new Map(missing.map(({ partition, high }) => [partition, high])));
  }

  function reportLag(topic: string, group: string, consumer: GroupConsumer): () => void {
    const report = async (signal: AbortSignal) => {
      try {
        const [ends, committed] = await Promise.all([cluster.ends(topic), cluster.committed(topic, group)]);
        for (const { partition, low, high } of ends) {
          if (signal.aborted || !consumer.positions.has(partition)) continue;
          telemetry.lag(topic, group, partition, Math.max(0, high - Math.max(low, committed.get(partition) ?? low)));
        }
      } catch {
        // Kafka is away; that shows elsewhere.
      }
    };
    const loop = createLoop({ clock, everyMs: options.lagMs ?? 10_000, turn: report });
    loop.start();
    return () => void loop.stop();
  }

  return {
    get connected() {
      return !closed && health.ok;
    },

    async epoch() {
      epoch ??= await keep(readEpoch).catch(err => {
        if (err instanceof EventLogError && err.code === 'unknown_topic') return undefined;
        throw err;
      });
      if (epoch === undefined) throw new EventLogError('no_epoch', 'this cluster has no epoch yet: run the migration');
      return epoch;
    },

    async createTopics(specs: readonly TopicSpec[]) {
      for (const spec of specs) checkTopic(spec);
      await keep(() => cluster.connect());
      await ensureEpoch();
      for (const { name, partitions } of specs) await createTopic(name, partitions);
    },

    async append(topic, records, appendOptions) {
      const deadlineMs = appendOptions?.deadlineMs ?? DEFAULT_DEADLINE_MS;
      const started = clock.monotonic();
      try {
        checkAppend(records, deadlineMs);
        if (closed) throw new AppendError('refused', 'closed', 'the event log is closed');
        const pipeline = pipelines.get(topic) ?? (await within(clock, deadlineMs, pipelineOf(topic)));
        if (records.length === 0) return [];
        const left = Math.max(1, deadlineMs - (clock.monotonic() - started));
        const positions = await pipeline.append(records, left);
        health.good();
        telemetry.appended(topic, records.length, (clock.monotonic() - started) / 1000);
        return positions;
      } catch (err) {
        const failure = asAppendError(err);
        if (failure.code === 'deadline' || failure.code === 'unavailable') health.bad();
        telemetry.appendFailed(pipelines.has(topic) ? topic : 'unknown', failure.outcome, failure.code);
        throw failure;
      }
    },

    async consume(topic, group, handler, consumeOptions = {}) {
      checkGroup(group);
      const maxBatch = consumeOptions.maxBatch ?? DEFAULT_MAX_BATCH;
      checkInteger('maxBatch', maxBatch, 1, MAX_BATCH_RECORDS);
      await keep(() => cluster.discover(topic));
      if (consumeOptions.from === 'latest') await keep(() => beginAtEnd(topic, group));
      const consumer = await keep(() =>
        startGroupConsumer({
          topic,
          group,
          handler,
          maxBatch,
          cluster,
          clock,
          ids,
          telemetry,
          logger: options.logger,
          backoff: options.backoff ?? DEFAULT_BACKOFF,
          sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
          fetchWaitMs: options.fetchWaitMs ?? 1000,
        }),
      );
      const silence = reportLag(topic, group, consumer);
      let stopping: Promise<void> | undefined;
      const stop = () => {
        silence();
        stopping ??= consumer.stop().finally(() => consumers.delete(stop));
        return stopping;
      };
      consumers.add(stop);
      if (closed) await stop();
      return { stop };
    },

    async trim(topic, partition, offset) {
      checkInteger('offset', offset, 0, Number.MAX_SAFE_INTEGER);
      await keep(async () => {
        const { low, high } = await partitionEnds(cluster, topic, partition);
        if (offset > high) throw new EventLogError('invalid', `offset ${offset} is beyond the end`);
        if (offset > low) await cluster.deleteRecords(topic, partition, offset);
      });
      telemetry.trimmed(topic, partition, offset);
    },

    ends: topic => keep(() => cluster.ends(topic)),

    async read(topic, partition, from, limit) {
      checkInteger('from', from, 0, Number.MAX_SAFE_INTEGER);
      checkInteger('limit', limit, 1, MAX_BATCH_RECORDS);
      return keep(() => readRecords(cluster, topic, partition, from, limit));
    },

    async committed(topic, group) {
      checkGroup(group);
      return keep(() => cluster.committed(topic, group));
    },

    async rewind(topic, group) {
      checkGroup(group);
      await keep(async () => {
        const lows = (await cluster.ends(topic)).map(({ partition, low }) => [partition, low] as const);
        await cluster.commit(topic, group, new Map(lows)).catch(err => {
          // what a broker says to a stranger while the group has members
          if (err instanceof KafkaFailure && err.type === 'UNKNOWN_MEMBER_ID') throw inUse(group, err);
          throw err;
        });
      });
    },

    async close() {
      if (closed) return;
      closed = true;
      health.stop();
      await Promise.all([...consumers].map(stop => stop().catch(() => {})));
      await Promise.all([...pipelines.values()].map(pipeline => pipeline.close()));
      await cluster.close().catch(() => {});
    },
  };
}

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.timer(ms, () => reject(new AppendError('refused', 'deadline', `not sent within ${ms} ms`)));
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.cancel();
  }
}

function asAppendError(err: unknown): AppendError {
  if (err instanceof AppendError) return err;
  const code = err instanceof EventLogError ? err.code : 'unavailable';
  const message = err instanceof Error ? err.message : 'Kafka cannot be reached';
  return new AppendError('refused', code, message, { cause: err });
}
