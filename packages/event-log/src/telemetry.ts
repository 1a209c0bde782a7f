import type { Clock, Logger, Metrics } from '@parley/runtime';
import { createQuietLog } from './quiet-log.ts';

/** One helper for each thing that happens on a log: log line and metric together. */
export interface LogTelemetry {
  appended(topic: string, records: number, seconds: number): void;
  appendFailed(topic: string, outcome: 'refused' | 'unknown', code: string): void;
  consumed(topic: string, group: string, records: number): void;
  handlerFailed(topic: string, group: string, partition: number, attempt: number, err: unknown): void;
  /** A consumer found records gone that it had not handled. */
  skipped(topic: string, group: string, partition: number, records: number): void;
  lag(topic: string, group: string, partition: number, records: number): void;
  trimmed(topic: string, partition: number, offset: number): void;
}

/** Telemetry of one log; silent where `logger` or `metrics` are missing. */
export function createLogTelemetry(
  clock: Clock,
  logger: Logger | undefined,
  metrics: Metrics | undefined,
): LogTelemetry {
  const quiet = createQuietLog(logger, clock);
  const m = metrics && defineMetrics(metrics);
  const byTopic = remember((topic: string) => ({ topic }));

  return {
    appended(topic, records, seconds) {
      if (m === undefined) return;
      const labels = byTopic(topic);
      m.appendSeconds.observe(seconds, labels);
      m.appended.inc(labels, records);
    },
    appendFailed(topic, outcome, code) {
      m?.appendFailures.inc({ topic, outcome });
      quiet.warn('log.append.failed', `${topic} ${outcome} ${code}`, { topic, outcome, code });
    },
    consumed: (topic, group, records) => m?.consumed.inc({ topic, group }, records),
    handlerFailed(topic, group, partition, attempt, err) {
      m?.handlerFailures.inc({ topic, group });
      logger?.error('log.handler.failed', { topic, group, partition, attempt, err });
    },
    skipped(topic, group, partition, records) {
      m?.skipped.inc({ topic, group }, records);
      logger?.error('log.records.gone', { topic, group, partition, records });
    },
    lag: (topic, group, partition, records) => m?.lag.set(records, { topic, group, partition: String(partition) }),
    trimmed: (topic, partition, offset) => logger?.info('log.trimmed', { topic, partition, offset }),
  };
}

function remember<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return key => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = make(key)));
    return value;
  };
}

function defineMetrics(metrics: Metrics) {
  return {
    appendSeconds: metrics.histogram<'topic'>({
      name: 'parley_log_append_seconds',
      help: 'Seconds from a call of append until its records were durable.',
      labels: ['topic'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    }),
    appended: metrics.counter<'topic'>({
      name: 'parley_log_appended_total',
      help: 'Records appended.',
      labels: ['topic'],
    }),
    appendFailures: metrics.counter<'topic' | 'outcome'>({
      name: 'parley_log_append_failures_total',
      help: 'Calls of append that failed; outcome unknown means that the records may be in the log all the same.',
      labels: ['topic', 'outcome'],
    }),
    consumed: metrics.counter<'topic' | 'group'>({
      name: 'parley_log_consumed_total',
      help: 'Records handled and committed.',
      labels: ['topic', 'group'],
    }),
    handlerFailures: metrics.counter<'topic' | 'group'>({
      name: 'parley_log_handler_failures_total',
      help: 'Batches whose handler failed; they are delivered again.',
      labels: ['topic', 'group'],
    }),
    skipped: metrics.counter<'topic' | 'group'>({
      name: 'parley_log_records_gone_total',
      help: 'Records that were gone before the group had handled them.',
      labels: ['topic', 'group'],
    }),
    lag: metrics.gauge<'topic' | 'group' | 'partition'>({
      name: 'parley_log_consumer_lag',
      help: 'Records in the log that the group has not handled yet.',
      labels: ['topic', 'group', 'partition'],
    }),
  };
}
