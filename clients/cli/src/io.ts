import type { Readable, Writable } from 'node:stream';

/** Where text goes; a terminal has a width. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where input comes from; a terminal can be told not to echo. */
export interface Input extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** Everything of the process that commands use. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the person presses Ctrl-C or the process is told to end. */
  readonly interrupted: AbortSignal;
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Replaces waiting before a call is repeated, milliseconds. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Replaces `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The process as it is. */
export function processIo(): Io {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(130); // the second time at once
      interruption.abort(new DOMException(`ended by ${signal}`, 'AbortError'));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0); // `parleyctl … | head` has seen enough
      throw error;
    });
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interrupted: interruption.signal,
    now: () => Date.now(),
  };
}
