import { styleText } from 'node:util';
import type { Io, Output } from '../io.ts';
import { type Cell, table } from './table.ts';
import { safeJson } from './text.ts';

type Style = Parameters<typeof styleText>[0];

/** What JSON can say: no bigint anywhere. */
export type JsonOf<T> = T extends bigint ? never : T extends object ? { readonly [K in keyof T]: JsonOf<T[K]> } : T;

/** Prints results: for people as text, for machines as JSON. */
export interface Printer {
  readonly json: boolean;
  /** Whether people see the results on a terminal. */
  readonly terminal: boolean;
  /** The one result of a command: `value` as JSON, or the lines for people. */
  result<T>(value: T & JsonOf<T>, human: () => readonly string[]): void;
  /** One of many results of a command that goes on: a JSON line, or text. */
  event<T>(value: T & JsonOf<T>, human: () => string): void;
  /** A remark for people, on standard error; machines do not get it. */
  note(text: string): void;
  /** Lines of a table as wide as the terminal. */
  table(head: readonly string[], rows: readonly (readonly (string | Cell)[])[]): readonly string[];
  /** A table for people on standard error, as wide as that. */
  problems(head: readonly string[], rows: readonly (readonly (string | Cell)[])[]): void;
  /** Colours text where the terminal and the person want it. */
  style(style: Style, text: string): string;
  /** Replaces the line of progress on standard error, if that is a terminal; an empty text removes it. */
  progress(text: string): void;
}

/** Makes a printer. Colour follows the terminal, NO_COLOR and `--no-color`. */
export function createPrinter(io: Io, options: { readonly json: boolean; readonly color: boolean }): Printer {
  const { stdout, stderr } = io;
  const terminal = stdout.isTTY === true && !options.json;
  const coloured = (output: Output) =>
    options.color && output.isTTY === true && (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  const style = (format: Style, text: string) =>
    coloured(stdout) ? styleText(format, text, { validateStream: false }) : text;
  let progressShown = false;

  function progress(text: string): void {
    if (stderr.isTTY !== true || options.json) return;
    if (progressShown || text !== '') stderr.write(`\r\u001b[K${text}`);
    progressShown = text !== '';
  }
  return {
    json: options.json,
    terminal,
    result(value, human) {
      progress('');
      const text = options.json ? safeJson(value, stdout.isTTY ? 2 : undefined) : human().join('\n');
      if (text !== '') stdout.write(`${text}\n`);
    },
    event(value, human) {
      progress('');
      stdout.write(`${options.json ? safeJson(value) : human()}\n`);
    },
    note(text) {
      progress('');
      if (!options.json) stderr.write(`${text}\n`);
    },
    table: (head, rows) =>
      table(head, rows, {
        ...(stdout.isTTY && { width: stdout.columns ?? 80 }),
        paintHead: text => style('dim', text),
      }),
    problems(head, rows) {
      if (options.json || rows.length === 0) return;
      progress('');
      const paint = (text: string) => (coloured(stderr) ? styleText('dim', text, { validateStream: false }) : text);
      const width = stderr.isTTY && { width: stderr.columns ?? 80 };
      stderr.write(`${table(head, rows, { ...width, paintHead: paint }).join('\n')}\n`);
    },
    style,
    progress,
  };
}
