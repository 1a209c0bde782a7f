import type { Consumer, EventLog } from '@parley/event-log';
import type { Clock, Module, Timer } from '@parley/runtime';
import type { Batch } from '../app/archiver.ts';
import type { Telemetry } from '../events.ts';

const RETRY_MS = 5_000;

export interface ArchivingConsumerDeps {
  readonly log: EventLog;
  readonly topic: string;
  readonly group: string;
  readonly clock: Clock;
  readonly handle: (batch: Batch) => Promise<void>;
  readonly maxBatch: number;
  readonly lingerMs: number;
  readonly telemetry: Telemetry;
}

/** Reads the log for archiving, in batches that a short pause after each makes larger. */
export function archivingConsumer(deps: ArchivingConsumerDeps): Module {
  const { clock, maxBatch, lingerMs } = deps;
  let consumer: Consumer | undefined;
  let stopping = new AbortController();
  let retry: Timer | undefined;

  async function handle(batch: Batch): Promise<void> {
    await deps.handle(batch);
    // Nobody waits for the next batch: the log has it already. A stop ends the pause.
    if (batch.records.length < maxBatch / 2 && lingerMs > 0)
      await clock.sleep(lingerMs, stopping.signal).catch(() => undefined);
  }

  async function subscribe(): Promise<void> {
    try {
      const started = await deps.log.consume(deps.topic, deps.group, handle, { maxBatch });
      if (stopping.signal.aborted) await started.stop();
      else consumer = started;
    } catch (cause) {
      deps.telemetry.consumerWaits(cause);
      if (!stopping.signal.aborted) retry = clock.timer(RETRY_MS, () => void subscribe());
    }
  }

  return {
    name: 'archiving.consumer',
    async start() {
      stopping = new AbortController();
      await subscribe();
    },
    async stop() {
      retry?.cancel();
      stopping.abort(new Error('archiving stops'));
      await consumer?.stop();
      consumer = undefined;
    },
  };
}
