/** One server process with a life cycle: started, killed, paused, restarted, always with the same command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  killTree,
  killTreeSync,
  type ProcessRef,
  processTree,
  refOf,
  sendSignal,
  signalTree,
  waitGone,
} from './proc.ts';
import { type Log, need, tail } from './tools.ts';

/** What fault scenarios do to a server. Its port and its data stay the same through all of it. */
export interface BackendHandle {
  /** All live processes of the server, parents first; empty when it is down. */
  pids(): number[];
  /** Stops it in order when it is up (waking it first when paused), starts it again, waits until it is healthy. */
  restart(): Promise<void>;
  /** SIGKILL to all its processes; resolves when they are gone. Bring it back with `restart`. */
  kill(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay open and nobody answers. */
  pause(): void;
  /** SIGCONT after `pause`. */
  resume(): void;
  /** Everything the server printed, over all restarts. */
  readonly logFile: string;
}

/** How a server is run. */
export interface ServerSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Asked again and again with what was printed since this start. */
  ready(printed: string): boolean | Promise<boolean>;
  readonly stopSignal: NodeJS.Signals;
  /** The stop signal goes to the root's first child instead (the root is `unshare`, which ignores it). */
  readonly wrapped?: boolean;
  readonly readyTimeoutMs?: number;
  readonly log: Log;
  /** Told about every new process, so that it can be cleaned up when this process dies. */
  onStart(ref: ProcessRef): void;
}

/** A server that can be driven; `start` and `stop` are for whoever owns it. */
export interface Server extends BackendHandle {
  start(): Promise<void>;
  /** Ends it in order, with SIGKILL after 20 s. */
  stop(): Promise<void>;
  /** Synchronous SIGKILL, for exit handlers. */
  killNow(): void;
}

/** Makes a server out of its spec; nothing runs until `start`. */
export function createServerProcess(spec: ServerSpec): Server {
  let child: ChildProcess | undefined;
  let expected = false;

  const root = (): number | undefined => (child !== undefined && isRunning(child) ? child.pid : undefined);

  async function start(): Promise<void> {
    if (root() !== undefined) throw new Error(`${spec.name} is already running`);
    const since = existsSync(spec.logFile) ? statSync(spec.logFile).size : 0;
    expected = false;
    child = launch(spec);
    const mine = child;
    const failed = new Promise<never>((_, reject) => mine.once('error', reject));
    failed.catch(() => {});
    mine.once('exit', (code, signal) => {
      if (!expected) spec.log(`${spec.name} ended by itself (${signal ?? `code ${code}`}); log: ${spec.logFile}`);
    });
    await Promise.race([once(mine, 'spawn'), failed]);
    const ref = refOf(mine.pid ?? 0);
    if (ref !== undefined) spec.onStart(ref);
    await untilReady(mine, since);
  }

  async function untilReady(mine: ChildProcess, since: number): Promise<void> {
    const end = Date.now() + (spec.readyTimeoutMs ?? 60_000);
    while (!(await spec.ready(readFileSync(spec.logFile).subarray(since).toString()))) {
      if (expected) throw new Error(`${spec.name} was stopped while it was starting`);
      const problem = !isRunning(mine) ? 'ended while starting' : Date.now() > end ? 'did not become healthy' : '';
      if (problem !== '') throw new Error(`${spec.name} ${problem}; log: ${spec.logFile}\n${tail(spec.logFile, 15)}`);
      await delay(25);
    }
  }

  async function down(refs: readonly ProcessRef[], mine: ChildProcess): Promise<void> {
    if (isRunning(mine)) await once(mine, 'exit');
    if (!(await waitGone(refs, 10_000))) throw new Error(`${spec.name}: processes survive SIGKILL`);
  }

  async function kill(): Promise<void> {
    const mine = child;
    const pid = root();
    if (mine === undefined || pid === undefined) return;
    expected = true;
    const refs = treeRefs(pid);
    killTree(pid);
    await down(refs, mine);
  }

  async function stop(): Promise<void> {
    const mine = child;
    const pid = root();
    if (mine === undefined || pid === undefined) return;
    expected = true;
    const refs = treeRefs(pid);
    signalTree(pid, 'SIGCONT');
    sendSignal((spec.wrapped ? processTree(pid)[1] : undefined) ?? pid, spec.stopSignal);
    if (!(await waitGone(refs.slice(0, 1), 20_000))) {
      spec.log(`${spec.name} ignores ${spec.stopSignal}; killing it`);
      killTree(pid);
    }
    await down(refs, mine);
  }

  const pids = (): number[] => processTree(root() ?? -1);
  const signal = (name: NodeJS.Signals): void => {
    const pid = root();
    if (pid === undefined) throw new Error(`${spec.name} is not running`);
    signalTree(pid, name);
  };
  return {
    logFile: spec.logFile,
    start,
    stop,
    kill,
    pids,
    killNow: () => {
      expected = true;
      for (const pid of pids().slice(0, 1)) killTreeSync(pid);
    },
    pause() {
      signal('SIGSTOP');
      for (const pid of pids()) untilStopped(pid);
    },
    resume: () => signal('SIGCONT'),
    restart: async () => {
      await stop();
      await start();
    },
  };
}

/** The signal is sent at once, but each thread stops when it next runs: a busy machine takes its time. */
function untilStopped(pid: number): void {
  const end = performance.now() + 2_000;
  const stopped = (task: string) => {
    try {
      return /\) [TtZX] /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'));
    } catch {
      return true; // gone
    }
  };
  while (existsSync(`/proc/${pid}/task`) && !readdirSync(`/proc/${pid}/task`).every(stopped)) {
    if (performance.now() > end) throw new Error(`process ${pid} did not stop within 2 s`);
  }
}

function launch(spec: ServerSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a');
  try {
    // When this process dies, even by SIGKILL, the kernel kills the server. Its own group keeps Ctrl-C away from it.
    return spawn(need('setpriv'), ['--pdeathsig', 'KILL', '--', ...spec.command], {
      cwd: spec.cwd,
      env: { ...process.env, ...spec.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function treeRefs(pid: number): ProcessRef[] {
  return processTree(pid).flatMap(member => refOf(member) ?? []);
}
