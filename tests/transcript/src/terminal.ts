import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a command did. */
export interface Outcome {
  readonly output: string;
  /** Undefined while it goes on. */
  readonly exit: number | undefined;
}

const END = /\u001e(\d+)\u001e\n/;

/** A shell that keeps its directory and variables from one command to the next, as a reader's does. */
export class Terminal {
  readonly #shell: ChildProcess;
  readonly #dir = mkdtempSync(join(tmpdir(), 'parley-terminal-'));
  #output = '';
  #printed = '';
  #wake = () => {};

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.#shell.stdout, this.#shell.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#printed += text;
        this.#wake();
      });
    this.#shell.on('exit', () => this.#wake());
  }

  /** Everything it has shown since it was opened. */
  get printed(): string {
    return this.#printed;
  }

  /** Runs a command with `stdin` typed; resolves at its end, or when it has printed `until`. Rejects after `timeoutMs`. */
  async run(
    command: string,
    options: { stdin: string; until: string | undefined; timeoutMs: number },
  ): Promise<Outcome> {
    writeFileSync(join(this.#dir, 'command'), command);
    writeFileSync(join(this.#dir, 'typed'), options.stdin);
    this.#output = '';
    this.#shell.stdin?.write(
      `eval -- "$(cat '${this.#dir}/command')" < '${this.#dir}/typed'; printf '\\036%s\\036\\n' "$?"\n`,
    );
    const deadline = Date.now() + options.timeoutMs;
    for (;;) {
      const end = END.exec(this.#output);
      if (end) return { output: this.#output.replace(END, ''), exit: Number(end[1]) };
      if (options.until !== undefined && this.#output.includes(options.until))
        return { output: this.#output, exit: undefined };
      const gone = this.#shell.exitCode !== null || this.#shell.signalCode !== null;
      const left = deadline - Date.now();
      if (gone || left <= 0)
        throw new Error(
          `${gone ? 'the shell ended' : `no end after ${options.timeoutMs} ms`}; printed:\n${this.#output.slice(-2_000)}`,
        );
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Ends the shell and all it started, first kindly. */
  async close(): Promise<void> {
    const { pid } = this.#shell;
    const over = new Promise<void>(resolve => this.#shell.once('close', () => resolve()));
    if (pid !== undefined && this.#shell.exitCode === null && this.#shell.signalCode === null) {
      process.kill(-pid, 'SIGTERM');
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), 10_000);
      await over;
      clearTimeout(timer);
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
