export { EPOCH_TOPIC } from './adapters/kafka/epoch.ts';
export { connectKafkaEventLog } from './adapters/kafka/kafka-event-log.ts';
export type { KafkaEventLogOptions, KafkaSasl, KafkaTls } from './adapters/kafka/options.ts';
export { createEventLogFaults, type EventLogFaults } from './adapters/sqlite/faults.ts';
export {
  beginSqliteEpoch,
  type InspectedLog,
  type InspectedPartition,
  inspectSqliteLog,
  type NewEpochOptions,
} from './adapters/sqlite/inspect.ts';
export { createSqliteEventLog, type SqliteEventLogDeps } from './adapters/sqlite/sqlite-event-log.ts';
export type { BackoffRange } from './backoff.ts';
export * from './errors.ts';
export * from './event-log.ts';
export { MAX_APPEND_BYTES, MAX_APPEND_RECORDS, MAX_BATCH_RECORDS, MAX_KEY_BYTES, MAX_VALUE_BYTES } from './limits.ts';
