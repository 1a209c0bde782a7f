/** Processes as the kernel knows them. A pid alone may have been reused; with its start time it is one process. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, unmistakably: pid, start time in clock ticks since boot, and the boot it belongs to. */
export interface ProcessRef {
  readonly pid: number;
  readonly start: string;
  readonly boot: string;
}

/** The fields of /proc/PID/stat that matter here. */
export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly start: string;
}

/** Parses one /proc/PID/stat line. The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(line: string): ProcessStat | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, start] = [fields[0], fields[1], fields[19]];
  if (state === undefined || ppid === undefined || start === undefined) return undefined;
  return { state, ppid: Number(ppid), start };
}

/** The process' stat, or undefined when it is gone or only waits to be reaped. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat;
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

/** A reference to a live process, or undefined when it is gone. */
export function refOf(pid: number): ProcessRef | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, start: stat.start, boot: bootId() };
}

/** True while exactly this process runs (a reused pid does not count). */
export function isAlive(ref: ProcessRef): boolean {
  return ref.boot === bootId() && readStat(ref.pid)?.start === ref.start;
}

/** The process and all its descendants that are alive, parents first. Sessions and namespaces make no difference. */
export function processTree(root: number): number[] {
  if (readStat(root) === undefined) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat === undefined) continue;
    const siblings = children.get(stat.ppid);
    if (siblings === undefined) children.set(stat.ppid, [Number(name)]);
    else siblings.push(Number(name));
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Sends a signal; false when the process is already gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Signals a whole tree, again until no new member appears (a server forks while it is being signalled). */
export function signalTree(root: number, signal: NodeJS.Signals): number[] {
  const seen = new Set<number>();
  for (let round = 0; round < 20; round++) {
    const fresh = processTree(root).filter(pid => !seen.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      seen.add(pid);
      sendSignal(pid, signal);
    }
  }
  return [...seen];
}

/** Stops a tree from forking, then kills it. */
export function killTree(root: number): void {
  signalTree(root, 'SIGSTOP');
  for (const pid of processTree(root).reverse()) sendSignal(pid, 'SIGKILL');
}

/** Like `killTree`, and blocks this thread until the tree is gone (3 s at most): for exit handlers, which cannot wait. */
export function killTreeSync(root: number): void {
  const refs = processTree(root).flatMap(pid => refOf(pid) ?? []);
  killTree(root);
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 300 && refs.some(isAlive); i++) Atomics.wait(clock, 0, 0, 10);
}

/** Waits until every process is gone; false when the time is over. */
export async function waitGone(refs: readonly ProcessRef[], timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (refs.some(isAlive)) {
    if (Date.now() > end) return false;
    await delay(10);
  }
  return true;
}
