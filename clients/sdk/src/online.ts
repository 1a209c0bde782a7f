import { Code } from '@connectrpc/connect';
import { reasonOf } from './abort.ts';
import type { ConnectionState } from './connection-types.ts';
import { ParleyClientError } from './errors.ts';
import type { ReadableStore } from './store.ts';

/**
 * Resolves when a stream that has just been started is online; rejects when it ended for good or the signal was
 * aborted.
 */
export function online(state: ReadableStore<ConnectionState>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      off();
      signal?.removeEventListener('abort', look);
      if (error) reject(error);
      else resolve();
    };
    const look = () => {
      const now = state.getSnapshot();
      if (signal?.aborted) done(reasonOf(signal));
      else if (now.phase === 'online') done();
      else if (now.phase === 'ended')
        done(now.error ?? new ParleyClientError('client.ended', Code.Canceled, `the stream ended: ${now.reason}`));
    };
    const off = state.subscribe(look);
    signal?.addEventListener('abort', look);
    // `idle` and `ended` are of the time before the start
    if (signal?.aborted || state.getSnapshot().phase === 'online') look();
  });
}
