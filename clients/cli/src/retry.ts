import { ParleyClientError, toClientError } from '@parley/client';
import type { Cli } from './cli.ts';

const TRIES = 7;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Repeats a call that failed for the moment, with growing pauses or as long as the server says. A call that may not act
 * twice is repeated only when the server says that it did not act.
 */
export async function retrying<T>(
  cli: Pick<Cli, 'io'>,
  work: () => Promise<T>,
  { idempotent = true }: { readonly idempotent?: boolean } = {},
): Promise<T> {
  const { interrupted } = cli.io;
  for (let tries = 1; ; tries++) {
    try {
      interrupted.throwIfAborted();
      return await work();
    } catch (error) {
      const failure = toClientError(error, interrupted);
      const again =
        failure instanceof ParleyClientError &&
        failure.retryable &&
        (idempotent || failure.retryAfterMs !== undefined) &&
        tries < TRIES;
      if (!again) throw failure;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
      await pauseFor(cli, failure.retryAfterMs ?? pause);
    }
  }
}

/** Waits; rejects at once when the person ends the command. */
export function pauseFor({ io }: Pick<Cli, 'io'>, ms: number): Promise<void> {
  if (io.sleep) return io.sleep(ms);
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      io.interrupted.removeEventListener('abort', done);
      if (io.interrupted.aborted) reject(io.interrupted.reason as Error);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    io.interrupted.addEventListener('abort', done, { once: true });
  });
}
