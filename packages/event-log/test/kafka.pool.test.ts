import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createMetrics, systemClock } from '@parley/runtime';
import { type Backends, startBackends } from '@parley/test-backends';
import { eventLogContract } from '../src/contract/event-log.contract.ts';
import { connectKafkaEventLog, type EventLog, type KafkaEventLogOptions } from '../src/index.ts';

const brokers = process.env['PARLEY_TEST_KAFKA_BROKERS']?.split(',');

const dial = (servers: readonly string[], more: Partial<KafkaEventLogOptions> = {}) =>
  connectKafkaEventLog({
    brokers: servers,
    clientId: 'test',
    clock: systemClock,
    replicationFactor: 1,
    minInsyncReplicas: 1,
    backoff: { minMs: 20, maxMs: 100 },
    sessionTimeoutMs: 6000,
    fetchWaitMs: 100,
    ...more,
  });

if (brokers === undefined) {
  it('Kafka: not run, because PARLEY_TEST_KAFKA_BROKERS is not set', { skip: true }, () => {});
} else {
  eventLogContract(
    'Kafka',
    async () => {
      const logs = [await dial(brokers)];
      await logs[0]?.createTopics([]);
      return {
        log: logs[0] as EventLog,
        topic: () => `t-${randomUUID()}`,
        async another() {
          const other = await dial(brokers);
          logs.push(other);
          return other;
        },
        close: async () => void (await Promise.all(logs.map(log => log.close()))),
      };
    },
    false,
  );
}
