import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScreen, type Screen } from './screen.ts';

/** What a command did. */
export interface Outcome {
  /** What the terminal shows of it. */
  readonly output: string;
  /** Undefined while it goes on. */
  readonly exit: number | undefined;
}

/** How a command is run. */
export interface RunOptions {
  /** Lines to type, each when something is asked for; `^C` and `^D` are keys. */
  readonly typed: readonly string[];
  /** Return when it has printed this; undefined waits for its end. */
  readonly until: string | undefined;
  /** Press this key when `until` was printed, and wait for the end. */
  readonly press: string | undefined;
  readonly timeoutMs: number;
}

/** How the shell tells that a command has ended. */
const MARK = '\u001e';
const END = new RegExp(`${MARK}(\\d+)${MARK}`);
/** A line at whose end somebody is asked for something. */
const ASKS = /[:>?] ?$/;
const KEYS: Readonly<Record<string, string>> = { '^C': '\u0003', '^D': '\u0004' };

/** `script` lends its command a terminal (util-linux; macOS has another one of that name). */
const PSEUDO_TERMINAL: readonly string[] =
  process.platform === 'darwin'
    ? ['script', '-q', '/dev/null', 'bash', '--noediting', '--noprofile', '--norc', '-i']
    : ['script', '-qefc', 'exec bash --noediting --noprofile --norc -i', '/dev/null'];

/** An interactive shell in a terminal of 120 columns, which keeps its directory and variables as a reader's does. */
export class Terminal {
  readonly #shell: ChildProcess;
  readonly #dir = mkdtempSync(join(tmpdir(), 'parley-terminal-'));
  #raw = '';
  #screen: Screen = createScreen();
  #earlier = '';
  #started = false;
  #echo = 0;
  #wake = () => {};

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    const [program = '', ...args] = PSEUDO_TERMINAL;
    this.#shell = spawn(program, args, {
      cwd,
      env: { ...env, TERM: 'xterm', PS1: '', PS2: '', HISTFILE: '', PROMPT_COMMAND: 'printf "\\036%s\\036" "$?"' },
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => this.#show(text));
    this.#shell.stdin?.on('error', () => undefined); // the shell is gone; `run` says so
    this.#shell.on('exit', () => this.#wake());
  }

  /** Everything it has shown since it was opened. */
  get printed(): string {
    return this.#earlier + this.#screen.text();
  }

  /** Runs a command; resolves at its end, or when it has printed `until`. Rejects after `timeoutMs`. */
  async run(command: string, options: RunOptions): Promise<Outcome> {
    const deadline = Date.now() + options.timeoutMs;
    await this.#free(deadline);
    writeFileSync(join(this.#dir, 'command'), `${command}\n`);
    this.#begin(`. '${this.#dir}/command'\n`);
    const typed = [...options.typed];
    let { until, press } = options;
    let answered = -1; // what is asked next is asked in a line further down
    for (;;) {
      const output = () => this.#screen.text().trimEnd();
      const exit = this.#ended();
      if (exit !== undefined) return { output: output(), exit };
      if (typed.length > 0 && this.#screen.row > answered && ASKS.test(this.#screen.beforeCursor())) {
        answered = this.#screen.row;
        const line = typed.shift() as string;
        this.#type(KEYS[line] ?? `${line}\n`);
      } else if (typed.length === 0 && until !== undefined && this.#screen.text().includes(until)) {
        if (press === undefined) return { output: output(), exit: undefined };
        this.#type(KEYS[press] ?? `${press}\n`);
        until = undefined;
        press = undefined;
      }
      await this.#more(deadline);
    }
  }

  /** Presses Ctrl-C while something goes on, then ends the shell. */
  async close(): Promise<void> {
    await this.#free(Date.now() + 15_000).catch(() => undefined);
    const { pid } = this.#shell;
    const over = new Promise<void>(resolve => this.#shell.once('close', () => resolve()));
    if (pid !== undefined && !this.#gone) {
      this.#type('exit\n');
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), 5_000);
      await over;
      clearTimeout(timer);
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  get #gone(): boolean {
    return this.#shell.exitCode !== null || this.#shell.signalCode !== null;
  }

  /** Waits for the prompt; what still goes on gets Ctrl-C, as from whoever wants to type the next command. */
  async #free(deadline: number): Promise<void> {
    if (this.#started && this.#ended() === undefined) this.#type('\u0003');
    while (this.#ended() === undefined) await this.#more(deadline);
    if (this.#started) return;
    this.#started = true;
    this.#begin('stty cols 120 rows 50\n');
    while (this.#ended() === undefined) await this.#more(deadline);
  }

  #begin(line: string): void {
    this.#earlier += `${this.#screen.text()}\n`;
    this.#raw = '';
    this.#screen = createScreen();
    this.#echo = line.length + 1; // the terminal shows \n as \r\n
    this.#type(line);
  }

  /** Shows what comes, without the echo of the line that was typed at the prompt and what the prompt says itself. */
  #show(text: string): void {
    const echo = Math.min(this.#echo, text.length);
    this.#echo -= echo;
    const before = this.#raw.includes(MARK);
    this.#raw += text.slice(echo);
    if (!before) this.#screen.write(text.slice(echo).split(MARK, 1)[0] as string);
    this.#wake();
  }

  #type(text: string): void {
    this.#shell.stdin?.write(text);
  }

  #ended(): number | undefined {
    const end = END.exec(this.#raw);
    return end ? Number(end[1]) : undefined;
  }

  async #more(deadline: number): Promise<void> {
    const left = deadline - Date.now();
    if (this.#gone || left <= 0)
      throw new Error(
        `${this.#gone ? 'the shell ended' : 'it took too long'}; printed:\n${this.#screen.text().slice(-2_000)}`,
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
