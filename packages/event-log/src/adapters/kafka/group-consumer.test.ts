import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import type { LogBatch, LogRecord } from '../../event-log.ts';
import { createLogTelemetry } from '../../telemetry.ts';
import type { GroupOptions, KafkaBatch, KafkaCluster } from './cluster.ts';
import { startGroupConsumer } from './group-consumer.ts';

const record = { partition: 0, offset: 7, key: 'k', value: new Uint8Array(1), timestampMs: 0 } as unknown as LogRecord;

/** A consumer that is a member of its group; the test hands it batches. */
async function setUp(handler: (batch: LogBatch) => Promise<void>) {
  const clock = new ManualClock();
  let options: GroupOptions | undefined;
  const cluster = {
    join: async (given: GroupOptions) => {
      options = given;
      return { leave: async () => {}, crashed: new Promise<Error>(() => {}) };
    },
  } as Partial<KafkaCluster> as KafkaCluster;
  const failures: number[] = [];
  const telemetry = {
    ...createLogTelemetry(clock, undefined, undefined),
    handlerFailed: (_topic: string, _group: string, _partition: number, attempt: number) => void failures.push(attempt),
  };
  const consumer = await startGroupConsumer({
    ...{ topic: 't', group: 'g', handler, maxBatch: 10, cluster, clock, logger: undefined, telemetry },
    ids: { fraction: () => 0 },
    backoff: { minMs: 100, maxMs: 1000 },
    sessionTimeoutMs: 10_000,
    fetchWaitMs: 500,
  });
  options?.onAssigned([0]);
  const committed: number[] = [];
  let paused = 0;
  const hand = (heartbeat: () => Promise<void>) =>
    (options as GroupOptions).onBatch({
      ...{ partition: 0, records: [record], high: 8, running: () => true, heartbeat },
      commit: async offset => void committed.push(offset),
      pause: () => {
        paused++;
        return () => {};
      },
    } satisfies KafkaBatch);
  return { clock, consumer, hand, committed, failures, paused: () => paused };
}

const untilAborted = ({ signal }: LogBatch) =>
  new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

describe('a consumer of a group', () => {
  it('tells a handler that only waits that the group is being shared out anew, and the library why the batch ended', async () => {
    const { clock, hand, committed, failures, paused } = await setUp(untilAborted);
    const shared = new Error('rebalance in progress');
    const ended = hand(() => Promise.reject(shared));
    await Promise.all([assert.rejects(ended, shared), clock.advance(2_500)]);
    assert.deepEqual(committed, [], 'the records come again');
    assert.deepEqual([failures, paused()], [[], 0], 'nothing has failed');
  });

  it('commits what a handler has done, even when the group was shared out meanwhile', async () => {
    let done: () => void = () => {};
    const { clock, hand, committed } = await setUp(() => new Promise<void>(resolve => (done = resolve)));
    const shared = new Error('rebalance in progress');
    const ended = hand(() => Promise.reject(shared));
    await clock.advance(2_500);
    done();
    await assert.rejects(ended, shared);
    assert.deepEqual(committed, [7]);
  });

  it('lets a partition rest after a failure of the handler itself', async () => {
    const { hand, committed, failures, paused } = await setUp(() => Promise.reject(new Error('no')));
    await hand(async () => {});
    assert.deepEqual([committed, failures, paused()], [[], [1], 1]);
  });
});
