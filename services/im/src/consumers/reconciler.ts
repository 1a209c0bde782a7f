import type { Consumer, EventLog } from '@parley/event-log';
import type { Clock, Module, Timer } from '@parley/runtime';
import type { ReadRecord } from '../app/reconcile.ts';
import type { Telemetry } from '../events.ts';

/** Group under which im reads the archive log again; nothing above its position may be trimmed. */
export const RECONCILE_GROUP = 'im-reconcile';
const RETRY_MS = 5_000;

export interface ReconcilerDeps {
  readonly log: EventLog;
  readonly topic: string;
  readonly clock: Clock;
  readonly reconcile: (records: readonly ReadRecord[], signal: AbortSignal) => Promise<void>;
  readonly maxBatch: number;
  readonly telemetry: Telemetry;
}

/** Reads the archive log for the reconciler. A log that is away delays it, but keeps nobody from sending. */
export function reconciler(deps: ReconcilerDeps): Module {
  let consumer: Consumer | undefined;
  let stopping = new AbortController();
  let retry: Timer | undefined;

  async function subscribe(): Promise<void> {
    try {
      const started = await deps.log.consume(
        deps.topic,
        RECONCILE_GROUP,
        ({ records, signal }) =>
          // waiting for the records to be old enough must not keep a new replica from joining
          deps.reconcile(records, signal ? AbortSignal.any([stopping.signal, signal]) : stopping.signal),
        { maxBatch: deps.maxBatch },
      );
      if (stopping.signal.aborted) await started.stop();
      else consumer = started;
    } catch (cause) {
      deps.telemetry.reconcilerWaits(cause);
      if (!stopping.signal.aborted) retry = deps.clock.timer(RETRY_MS, () => void subscribe());
    }
  }

  return {
    name: 'im.reconciler',
    async start() {
      stopping = new AbortController();
      await subscribe();
    },
    async stop() {
      retry?.cancel();
      stopping.abort(new Error('the reconciler stops'));
      await consumer?.stop();
      consumer = undefined;
    },
  };
}
