import type { Command } from 'commander';
import { type Cli, createCli, type GlobalOptions } from './cli.ts';
import type { Io } from './io.ts';

/** Examples of commands, for their help and for the reference. */
const examplesOf = new WeakMap<Command, readonly string[]>();

/** Adds examples to a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  examplesOf.set(
    command,
    lines.map(line => (line.includes('parleyctl ') ? line : `parleyctl ${line}`)),
  );
  return command.addHelpText(
    'after',
    `\nExamples:\n${examplesFor(command)
      .map(line => `  $ ${line}`)
      .join('\n')}`,
  );
}

/** A shell for looking at commands only: none can be run. */
export const noShell: Shell = { action: () => () => Promise.reject(new Error('not to be run')), exitCode: () => 0 };

/** Examples that were added to a command. */
export const examplesFor = (command: Command): readonly string[] => examplesOf.get(command) ?? [];

/** Carries out a command; returns its exit code, 0 when it returns none. */
export type Handler<O, A extends readonly unknown[]> = (cli: Cli, options: O, ...args: A) => Promise<number | void>;

/** Joins commands with the process they run in. */
export interface Shell {
  /** What commander calls for a command: makes a `Cli`, runs the handler, closes what it opened. */
  action<O, A extends readonly unknown[] = []>(handler: Handler<O, A>): (...all: readonly unknown[]) => Promise<void>;
  /** Exit code of the command that ran. */
  exitCode(): number;
}

export function createShell(io: Io): Shell {
  let code = 0;
  return {
    exitCode: () => code,
    action: handler => run(handler as unknown as Handler<never, readonly never[]>),
  };

  function run(handler: Handler<never, readonly never[]>): (...all: readonly unknown[]) => Promise<void> {
    return async (...all) => {
      // commander calls with the arguments, the options and the command
      const command = all.at(-1) as Command;
      const options = command.optsWithGlobals<GlobalOptions>();
      const cli = createCli(io, options);
      try {
        code = (await handler(cli, options as never, ...(all.slice(0, -2) as never[]))) ?? 0;
      } finally {
        await cli.close();
      }
    };
  }
}
