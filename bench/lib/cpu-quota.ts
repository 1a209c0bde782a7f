import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Short, so that a process that has used up its share waits for milliseconds only. The kernel's least quota is 1 ms. */
const PERIOD_US = 20_000;

/** Gives processes a share of a core each, by control groups of their own. */
export interface CpuQuotas {
  /** From now on the process has at most `share` of a core, 0.05 to 1. */
  limit(pid: number, share: number): void;
  /** Takes all limits away. */
  release(): void;
}

/** Undefined where control groups cannot be made: that needs Linux and, as a rule, root. */
export function openCpuQuotas(): CpuQuotas | undefined {
  const v1 = existsSync('/sys/fs/cgroup/cpu');
  const pattern = v1 ? /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m : /^0::(.*)$/m;
  const own = pattern.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const root = join(v1 ? '/sys/fs/cgroup/cpu' : '/sys/fs/cgroup', own);
  const made = new Map<number, string>();

  function make(name: string, share: number): string {
    const dir = join(root, `parley-bench-${process.pid}-${name}`);
    mkdirSync(dir, { recursive: true });
    const quota = Math.round(PERIOD_US * share);
    if (v1) {
      writeFileSync(join(dir, 'cpu.cfs_period_us'), String(PERIOD_US));
      writeFileSync(join(dir, 'cpu.cfs_quota_us'), String(quota));
    } else writeFileSync(join(dir, 'cpu.max'), `${quota} ${PERIOD_US}`);
    return dir;
  }

  try {
    rmdirSync(make('probe', 1));
  } catch {
    return undefined;
  }
  return {
    limit(pid, share) {
      const dir = make(String(pid), share);
      made.set(pid, dir);
      writeFileSync(join(dir, 'cgroup.procs'), String(pid));
    },
    release() {
      for (const [pid, dir] of made) {
        try {
          writeFileSync(join(root, 'cgroup.procs'), String(pid));
        } catch {
          // it has ended
        }
        rmdirSync(dir);
      }
      made.clear();
    },
  };
}
