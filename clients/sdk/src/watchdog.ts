import { Code } from '@connectrpc/connect';
import type { ClientEnvironment } from './environment.ts';
import { ParleyClientError } from './errors.ts';

/** Ends a stream on which nothing is heard any longer: a cut cable says nothing. */
export interface Watchdog {
  /** Something came. */
  heard(): void;
  /** From now on something comes at least this often, milliseconds. */
  expectEvery(heartbeatMs: number): void;
  stop(): void;
}

/** How long a stream may take to open, milliseconds. */
const OPENING_MS = 20_000;
/** A stream this long without any event, in heartbeats, is dead (session.proto, Connected). */
const DEAD_AFTER_HEARTBEATS = 2.5;

/** Aborts `stream` with `client.stream_silent` when it stays silent for too long. */
export function startWatchdog(env: ClientEnvironment, stream: AbortController): Watchdog {
  let off = new AbortController();
  let lastHeard = env.now();
  let patienceMs = OPENING_MS;

  async function watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = lastHeard + patienceMs - env.now();
      if (left <= 0) break;
      await env.sleep(left, signal);
    }
    stream.abort(new ParleyClientError('client.stream_silent', Code.Unavailable, 'nothing came from the server'));
  }
  const start = () => void watch(off.signal).catch(() => undefined);
  start();

  return {
    heard: () => void (lastHeard = env.now()),
    expectEvery(heartbeatMs) {
      patienceMs = heartbeatMs * DEAD_AFTER_HEARTBEATS;
      off.abort();
      off = new AbortController();
      start();
    },
    stop: () => off.abort(),
  };
}
