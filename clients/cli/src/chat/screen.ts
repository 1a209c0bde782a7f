import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { Io } from '../io.ts';
import { widthOf } from '../output/text.ts';

/** Where a chat takes place. */
export interface Screen {
  /** Shows a line, above what is being typed. */
  show(text: string): void;
  /** Shows how many messages are on their way. */
  setWaiting(count: number): void;
  /** Resolves when nothing more is typed: end of input, Ctrl-D, Ctrl-C, or `close`. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Lines come as they are piped in. */
export function pipedScreen(io: Io, onLine: (line: string) => void): Screen {
  const lines = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', onLine);
  return {
    show: text => void io.stdout.write(`${text}\n`),
    setWaiting: () => undefined,
    ended: endOf(lines, io),
    close: () => lines.close(),
  };
}

/** What readline keeps of where it has drawn (node:internal/readline/interface). */
type Drawn = Interface & { prevRows?: number };

/** A person types at the bottom, everything else appears above. */
export function terminalScreen(io: Io, onLine: (line: string) => void): Screen {
  const { stdout } = io;
  const lines: Drawn = createInterface({ input: io.stdin, output: stdout, terminal: true, prompt: '> ' });
  let prompt = '> ';
  let closed = false;

  /** Removes what is being typed from the screen; the cursor stands where it began. */
  function wipe(rowsUp: number): void {
    cursorTo(stdout, 0);
    moveCursor(stdout, 0, -rowsUp);
    clearScreenDown(stdout);
    lines.prevRows = 0;
  }
  lines.on('line', line => {
    // the message appears above when it is durable; what was typed would be there twice
    const columns = stdout.columns ?? 80;
    wipe(1 + Math.floor(Math.max(0, widthOf(prompt + line) - 1) / columns));
    onLine(line);
    lines.prompt();
  });
  lines.on('SIGINT', () => lines.close());
  lines.on('close', () => {
    closed = true;
    stdout.write('\n');
  });
  lines.prompt();
  return {
    show(text) {
      if (closed) return void stdout.write(`${text}\n`);
      wipe(lines.getCursorPos().rows);
      stdout.write(`${text}\n`);
      lines.prompt(true);
    },
    setWaiting(count) {
      const next = count === 0 ? '> ' : `(${count} on the way) > `;
      if (next === prompt || closed) return;
      wipe(lines.getCursorPos().rows);
      prompt = next;
      lines.setPrompt(prompt);
      lines.prompt(true);
    },
    ended: endOf(lines, io),
    close: () => lines.close(),
  };
}

function endOf(lines: Interface, { interrupted }: Io): Promise<void> {
  const close = () => lines.close();
  if (interrupted.aborted) close();
  else interrupted.addEventListener('abort', close, { once: true });
  return new Promise(resolve => lines.once('close', resolve));
}
