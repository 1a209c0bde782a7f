import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let usPerTick: number | undefined;

/** User and system time of a process so far, with that of its children that have ended (proc(5)), microseconds. */
export function cpuUsOf(pid: number): number {
  usPerTick ??= 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) * usPerTick;
}

/** Resident memory of a process, kilobytes. */
export function rssKbOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** How often the threads of a process have gone to sleep so far: each time, something woke them. */
export function wakeUpsOf(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** Binds every thread of a process to one core; does nothing where there is only one or no taskset. */
export function pin(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  } catch {
    console.error(`could not bind ${pid} to core ${core}; figures include each other's load`);
  }
}
