import { createInterface } from 'node:readline/promises';

/** Whoever sits in front of a command. */
export interface Terminal {
  /** Whether somebody can be asked, and what is shown reaches nobody else. */
  readonly interactive: boolean;
  /** Asks until `check` returns a value; what it throws is shown. An empty answer is `fallback`, where there is one. */
  ask<T>(question: string, fallback: string | undefined, check: (answer: string) => T): Promise<T>;
  say(line: string): void;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    interactive: process.stdin.isTTY && process.stdout.isTTY,
    say: line => console.log(line),
    async ask(question, fallback, check) {
      const lines = createInterface({ input: process.stdin, output: process.stdout });
      const ended = new Promise<never>((_, reject) =>
        lines.once('close', () =>
          reject(new Error('nothing more was answered; what is done stays, run it again to go on')),
        ),
      );
      ended.catch(() => undefined);
      try {
        for (;;) {
          const hint = fallback === undefined ? '' : ` [${fallback}]`;
          const answer = (await Promise.race([lines.question(`${question}${hint}: `), ended])).trim();
          try {
            return check(answer === '' && fallback !== undefined ? fallback : answer);
          } catch (error) {
            console.log(`  ${(error as Error).message}`);
          }
        }
      } finally {
        lines.close();
      }
    },
  };
}
