import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ParleyUnderTest, startParley } from '@parley/testkit';

/** A product under load: its processes on core 0, the caller on core 1 where there are two. */
export interface Target {
  readonly parley: ParleyUnderTest;
  readonly host: string;
  readonly port: number;
  /** User and system time of all server processes so far, microseconds. */
  cpuUs(): number;
  /** Resident memory of all server processes, kilobytes. */
  rssKb(): number;
  stop(): Promise<void>;
}

/** Limits that a load generator on one address would meet at once. */
const UNLIMITED = {
  log: { level: 'warn' },
  public: { callsPerPersonPerSecond: 1_000_000, callsPerPeerPerSecond: 1_000_000 },
  directory: { signInsPerPeerPerMinute: 1_000_000, hashConcurrency: 1, hashQueue: 10_000 },
  im: { sendRatePerSecond: 10_000, sendBurst: 100_000 },
  session: { connectsPerSecond: 100_000, connectBurst: 100_000, commandsPerMinute: 100_000 },
};

/** Starts a standalone product for a bench. */
export async function startTarget(config: Readonly<Record<string, unknown>> = {}): Promise<Target> {
  const parley = await startParley({ topology: 'standalone', config: { ...UNLIMITED, ...config } });
  const pids = parley.processes.map(p => p.pid as number);
  for (const pid of pids) pin(pid, 0);
  pin(process.pid, 1);
  const url = new URL(parley.url);
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return {
    parley,
    host: url.hostname,
    port: Number(url.port),
    cpuUs: () => pids.reduce((sum, pid) => sum + ticks(pid), 0) * (1_000_000 / ticksPerSecond),
    rssKb: () =>
      pids.reduce(
        (sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
        0,
      ),
    stop: () => parley.stop(),
  };
}

/** Binds every thread of a process to one core; does nothing where there is only one or no taskset. */
function pin(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  } catch {
    console.error(`could not bind ${pid} to core ${core}; figures include each other's load`);
  }
}

/** User and system time of a process in clock ticks (proc(5)). */
function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
