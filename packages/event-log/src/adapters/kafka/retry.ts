import type { Clock } from '@parley/runtime';
import { EventLogError } from '../../errors.ts';
import { KafkaFailure } from './cluster.ts';

const FIRST_MS = 50;
const LAST_MS = 1000;

/**
 * Repeats what fails for a reason that passes: a coordinator that is loading, a leader that moves, a broker that starts.
 * Gives up after `limitMs` with an EventLogError `unavailable`.
 */
export async function persistently<T>(clock: Clock, limitMs: number, call: () => Promise<T>): Promise<T> {
  const start = clock.monotonic();
  for (let wait = FIRST_MS; ; wait = Math.min(LAST_MS, wait * 2)) {
    try {
      return await call();
    } catch (err) {
      if (err instanceof EventLogError) throw err;
      const hopeless = err instanceof KafkaFailure && !err.retriable;
      if (hopeless || clock.monotonic() - start + wait > limitMs) {
        const type = err instanceof KafkaFailure ? err.type : 'Error';
        throw new EventLogError('unavailable', `Kafka: ${type}`, { cause: err });
      }
      await clock.sleep(wait);
    }
  }
}
