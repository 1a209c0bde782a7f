import type { Clock, Ids, Logger } from '@parley/runtime';
import { type BackoffRange, backoffMs } from '../../backoff.ts';
import type { BatchHandler, LogRecord } from '../../event-log.ts';
import { MAX_BATCH_BYTES } from '../../limits.ts';
import type { LogTelemetry } from '../../telemetry.ts';
import type { GroupSession, KafkaBatch, KafkaCluster } from './cluster.ts';

/** What a consumer needs. */
export interface GroupConsumerDeps {
  readonly topic: string;
  readonly group: string;
  readonly handler: BatchHandler;
  readonly maxBatch: number;
  readonly cluster: KafkaCluster;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'fraction'>;
  readonly backoff: BackoffRange;
  readonly logger: Logger | undefined;
  readonly telemetry: LogTelemetry;
  readonly sessionTimeoutMs: number;
  readonly fetchWaitMs: number;
}

/** A consumer that keeps itself in its group. */
export interface GroupConsumer {
  /** Partitions it has now, and the next offset of each as far as known. */
  readonly positions: ReadonlyMap<number, number | undefined>;
  stop(): Promise<void>;
}

/** Joins the group; resolves when it has. A membership that breaks is begun anew until `stop`. */
export async function startGroupConsumer(deps: GroupConsumerDeps): Promise<GroupConsumer> {
  const { topic, group, clock, telemetry } = deps;
  const stopping = new AbortController();
  const attempts = new Map<number, number>();
  const positions = new Map<number, number | undefined>();

  const join = () =>
    deps.cluster.join({
      topic,
      group,
      sessionTimeoutMs: deps.sessionTimeoutMs,
      fetchWaitMs: deps.fetchWaitMs,
      onBatch: handle,
      onAssigned(partitions) {
        for (const partition of positions.keys()) {
          if (partitions.includes(partition)) continue;
          positions.delete(partition);
          telemetry.lag(topic, group, partition, 0);
        }
        for (const partition of partitions) if (!positions.has(partition)) positions.set(partition, undefined);
        deps.logger?.info('log.group.assigned', { topic, group, partitions: partitions.map(String) });
      },
    });

  async function handle(batch: KafkaBatch): Promise<void> {
    const { partition, high } = batch;
    let broken: unknown;
    const away = new AbortController();
    const pulse = heartbeats(batch, err => {
      broken ??= err;
      away.abort(err);
    });
    try {
      for (const records of slices(batch.records, deps.maxBatch)) {
        if (!batch.running() || broken !== undefined) break;
        const first = (records[0] as LogRecord).offset;
        const last = (records.at(-1) as LogRecord).offset;
        const expected = positions.get(partition);
        if (expected !== undefined && first > expected) telemetry.skipped(topic, group, partition, first - expected);
        telemetry.lag(topic, group, partition, Math.max(0, high - first));
        if (!(await tryHandler(batch, records, away.signal))) break;
        await batch.commit(last);
        attempts.delete(partition);
        positions.set(partition, last + 1);
        telemetry.consumed(topic, group, records.length);
        telemetry.lag(topic, group, partition, Math.max(0, high - last - 1));
      }
    } finally {
      pulse.stop();
    }
    // The library must learn that the group is being shared out anew.
    if (broken !== undefined) throw broken;
  }

  /** False when the handler failed; the partition then rests for a while and begins again at the same record. */
  async function tryHandler(batch: KafkaBatch, records: readonly LogRecord[], signal: AbortSignal): Promise<boolean> {
    const { partition, high } = batch;
    const last = records.at(-1) as LogRecord;
    try {
      await deps.handler({ topic, partition, records, high: Math.max(high, last.offset + 1), signal });
      return true;
    } catch (err) {
      if (signal.aborted) return false;
      const attempt = (attempts.get(partition) ?? 0) + 1;
      attempts.set(partition, attempt);
      telemetry.handlerFailed(topic, group, partition, attempt, err);
      const resume = batch.pause();
      clock.timer(backoffMs(attempt, deps.ids.fraction(), deps.backoff), resume);
      return false;
    }
  }

  function heartbeats(batch: KafkaBatch, onBroken: (err: unknown) => void) {
    let stopped = false;
    const beat = () => {
      if (stopped) return;
      batch.heartbeat().then(plan, onBroken);
    };
    let timer = clock.timer(deps.sessionTimeoutMs / 4, beat);
    const plan = () => {
      if (!stopped) timer = clock.timer(deps.sessionTimeoutMs / 4, beat);
    };
    return {
      stop() {
        stopped = true;
        timer.cancel();
      },
    };
  }

  async function supervise(session: GroupSession): Promise<void> {
    let current = session;
    const stopped = new Promise<void>(resolve => stopping.signal.addEventListener('abort', () => resolve()));
    for (;;) {
      const crash = await Promise.race([current.crashed, stopped]);
      if (stopping.signal.aborted) return current.leave();
      deps.logger?.warn('log.group.lost', { topic, group, reason: crash instanceof Error ? crash.message : 'unknown' });
      await current.leave().catch(() => {});
      const next = await rejoin();
      if (next === undefined) return;
      current = next;
    }
  }

  async function rejoin(): Promise<GroupSession | undefined> {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const wait = backoffMs(attempt, deps.ids.fraction(), { minMs: 100, maxMs: 2000 });
      await clock.sleep(wait, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return undefined;
      try {
        return await join();
      } catch (err) {
        deps.logger?.warn('log.group.unreachable', { topic, group, reason: err instanceof Error ? err.message : '' });
      }
    }
    return undefined;
  }

  const running = supervise(await join());
  return {
    positions,
    stop() {
      stopping.abort();
      return running;
    },
  };
}

/** Contiguous pieces of at most `most` records and not many more bytes than a batch may have. */
function* slices(records: readonly LogRecord[], most: number): Generator<readonly LogRecord[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord;
    const previous = records[i - 1];
    bytes += record.value.byteLength;
    const gap = previous !== undefined && record.offset !== previous.offset + 1;
    if (i > from && (i - from >= most || bytes > MAX_BATCH_BYTES || gap)) {
      yield records.slice(from, i);
      from = i;
      bytes = record.value.byteLength;
    }
  }
  if (from < records.length) yield records.slice(from);
}
