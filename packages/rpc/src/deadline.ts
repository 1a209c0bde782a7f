import type { Clock } from '@parley/runtime';
import { rpcErrors } from './rpc-errors.ts';

/** How long work may take and who else may end it. */
export interface DeadlineOptions {
  readonly clock: Clock;
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  /** Ends the work earlier; its reason becomes the rejection. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` with a signal that is aborted at the deadline. Settles at the deadline at the latest, with
 * `rpc.deadline_exceeded`, even when the work ignores its signal; what the work does afterwards is not looked at.
 */
export function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>, options: DeadlineOptions): Promise<T> {
  const { clock, timeoutMs, signal } = options;
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const controller = new AbortController();
    const end = (reason: unknown) => {
      done();
      reject(reason as Error);
      controller.abort(reason);
    };
    const onAbort = () => end(signal?.reason);
    const timer = clock.timer(Math.max(0, timeoutMs), () => end(rpcErrors('rpc.deadline_exceeded')));
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    work(controller.signal).then(
      value => {
        done();
        resolve(value);
      },
      (error: Error) => {
        done();
        reject(error);
      },
    );
  });
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 };

/** Milliseconds of a `grpc-timeout` header; throws `rpc.invalid_deadline`. */
export function parseGrpcTimeout(header: string): number {
  const unit = units[header.charAt(header.length - 1)];
  if (unit === undefined || !/^[0-9]{1,8}.$/.test(header)) throw rpcErrors('rpc.invalid_deadline');
  return Number(header.slice(0, -1)) * unit;
}

/** Writes a `grpc-timeout` header of at least one millisecond. */
export function formatGrpcTimeout(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  if (whole <= 99_999_999) return `${whole}m`;
  const seconds = Math.ceil(whole / 1000);
  return seconds <= 99_999_999 ? `${seconds}S` : '99999999H';
}
