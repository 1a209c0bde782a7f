import type { Clock } from '@parley/runtime';

/** Tells a person how far something is: one line that changes in a terminal, a line every few seconds otherwise. */
export interface Progress {
  /** What is being done and how far. */
  at(text: string): void;
  /** Something worth keeping. */
  note(text: string): void;
  /** The line is finished. */
  done(): void;
}

const TERMINAL_MS = 100;
const PLAIN_MS = 5_000;

/** Progress on standard error. */
export function progressOn(stream: NodeJS.WriteStream, clock: Pick<Clock, 'monotonic'>): Progress {
  let saidAt = clock.monotonic();
  let open = false;
  const clear = () => {
    if (open) stream.write('\r\u001b[2K');
    open = false;
  };
  return {
    at(text) {
      if (clock.monotonic() - saidAt < (stream.isTTY ? TERMINAL_MS : PLAIN_MS)) return;
      saidAt = clock.monotonic();
      clear();
      stream.write(stream.isTTY ? text.slice(0, Math.max(20, stream.columns - 1)) : `${text}\n`);
      open = stream.isTTY;
    },
    note(text) {
      clear();
      stream.write(`${text}\n`);
    },
    done: clear,
  };
}

/** For tests and whoever does not want to know. */
export const silent: Progress = { at: () => undefined, note: () => undefined, done: () => undefined };

/** `123 of 456 MB (27 %)`. */
export function share(done: number, total: number): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  return `${mb(done)} of ${mb(total)} MB (${total === 0 ? 100 : Math.floor((done / total) * 100)} %)`;
}
