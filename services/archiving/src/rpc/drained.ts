import type { StreamSink } from '@parley/rpc';

/** Bytes that may wait for a reader. */
export const MOST_QUEUED_BYTES = 262_144;

/** Resolves when the reader has taken everything; rejects when he is gone. */
export function drained(sink: StreamSink<never>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    sink.onDrain(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
  });
}
