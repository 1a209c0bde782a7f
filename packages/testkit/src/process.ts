import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { until } from './wait.ts';

/** How to start a process of the product. */
export interface ProcessSpec {
  /** Unique within the test, for example `im-2`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Everything it prints goes here. */
  readonly logFile: string;
  /** Port of /readyz; undefined when there is none. */
  readonly adminPort?: number;
}

/** A process of the product that tests start, kill and start again. */
export interface ProductProcess {
  readonly name: string;
  readonly adminPort: number | undefined;
  readonly logFile: string;
  readonly pid: number | undefined;
  /** Started, and not ended. */
  readonly running: boolean;
  /** Starts it; resolves when it is ready. */
  start(): Promise<void>;
  /** SIGTERM, and SIGKILL after 20 s. Resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Any other signal. */
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code when it ends, by itself or not; null after a signal. */
  ended(): Promise<number | null>;
  /** SIGSTOP and SIGCONT: the process hangs, its connections stay. */
  pause(): void;
  resume(): void;
  /** True when /readyz says so. */
  ready(): Promise<boolean>;
  /** What it says there, or why it says nothing. */
  readiness(): Promise<string>;
  /** Text of /metrics. */
  metrics(): Promise<string>;
  /** Everything printed so far. */
  log(): string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** See {@link ProductProcess}. */
export function productProcess(spec: ProcessSpec): ProductProcess {
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(0);
  const log = () => readFileSync(spec.logFile, 'utf8');
  const fetchAdmin = (path: string) =>
    fetch(`http://127.0.0.1:${spec.adminPort}${path}`, { signal: AbortSignal.timeout(2_000) });
  const ready = async () => (await fetchAdmin('/readyz').catch(() => undefined))?.ok ?? false;

  return {
    name: spec.name,
    adminPort: spec.adminPort,
    logFile: spec.logFile,
    get pid() {
      return child?.pid;
    },
    get running() {
      return child !== undefined && child.exitCode === null && child.signalCode === null;
    },
    async start() {
      const out = openSync(spec.logFile, 'a');
      const started = spawn(spec.command, [...spec.args], {
        env: { ...process.env, ...spec.env },
        stdio: ['ignore', out, out],
      });
      closeSync(out);
      child = started;
      running.add(started);
      exited = new Promise(resolve =>
        started.once('exit', code => {
          running.delete(started);
          resolve(code);
        }),
      );
      if (spec.adminPort === undefined) return;
      await until(
        `${spec.name} to be ready`,
        async () => {
          if (started.exitCode !== null || started.signalCode !== null) return true;
          return ready();
        },
        { timeoutMs: 60_000, everyMs: 50 },
      );
      if (started.exitCode !== null)
        throw new Error(`${spec.name} ended with ${started.exitCode}:\n${log().slice(-4_000)}`);
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return exited;
      child.kill('SIGTERM');
      const guard = setTimeout(() => child?.kill('SIGKILL'), 20_000);
      const code = await exited;
      clearTimeout(guard);
      return code;
    },
    async kill() {
      child?.kill('SIGKILL');
      await exited;
    },
    signal: name => void child?.kill(name),
    ended: () => exited,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    ready,
    async readiness() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return 'does not run';
      return fetchAdmin('/readyz').then(answer => answer.text(), String);
    },
    metrics: async () => (await fetchAdmin('/metrics')).text(),
    log,
  };
}
