import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, createLoop, type Metrics, type Module } from '@parley/runtime';

const FILE = 'last-backup.json';
const LOOK_MS = 60_000;

/** Leaves behind in the data directory when a backup succeeded, and where it is. */
export function rememberBackup(dataDir: string, what: object): void {
  writeFileSync(join(dataDir, FILE), `${JSON.stringify(what)}\n`, { mode: 0o600 });
}

/** Publishes when the last backup of this installation succeeded. */
export function lastBackup(deps: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
}): Module {
  const at = deps.metrics.gauge({
    name: 'parley_backup_last_success_timestamp_seconds',
    help: 'When `parley backup` last succeeded for this data directory, seconds since 1970-01-01 UTC; 0 before the first time, and in a pool.',
  });
  at.set(0);
  const turn = () => {
    const made = statSync(join(deps.dataDir, FILE), { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined) at.set(made / 1000);
  };
  const loop = createLoop({ clock: deps.clock, everyMs: LOOK_MS, turn });
  return {
    name: 'last-backup',
    async start() {
      turn();
      loop.start();
    },
    stop: () => loop.stop(),
  };
}
