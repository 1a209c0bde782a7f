import type { CommandContext } from '../commands/context.ts';
import { assemble } from '../process.ts';
import type { TargetName } from '../routes.ts';
import { startOrder, TARGETS } from '../targets.ts';
import type { Topology } from '../topology.ts';
import { type Lag, lagOf, sayLag } from './log-readers.ts';
import type { Progress } from './progress.ts';

/** Services that read the log, in this process, without listeners. */
const WORKERS: readonly TargetName[] = ['im', 'archiving'];
const LOOK_MS = 250;

/**
 * Lets every group read the log to its end: runs the services that read it here, without listeners and streams, until
 * nobody is behind. Rejects after `waitMs`, naming who is behind and by how much.
 */
export async function catchUp(
  context: CommandContext,
  topology: Topology,
  { waitMs, progress }: { readonly waitMs: number; readonly progress: Progress },
): Promise<void> {
  const { clock, config } = context;
  const behind = (): Promise<readonly Lag[]> => lagOf(topology.eventLog, config);
  const targets = startOrder([...withCallees(WORKERS)]);
  const { modules } = await assemble({ ...config, targets: [...targets] }, { ...context, topology });
  const workers = modules.filter(module => (targets as readonly string[]).includes(module.name));
  const started: typeof workers = [];
  try {
    for (const worker of workers) {
      await worker.start();
      started.push(worker);
    }
    const until = clock.monotonic() + waitMs;
    for (let lags = await behind(); lags.length > 0; lags = await behind()) {
      if (clock.monotonic() >= until)
        throw new Error(
          `the log is not read to its end after ${Math.round(waitMs / 1000)} s: ${sayLag(lags)}; look for what is wrong with archiving, or give --wait`,
        );
      progress.at(`waiting: ${sayLag(lags)}`);
      await clock.sleep(LOOK_MS);
    }
  } finally {
    // The last statement about the archive is made when archiving stops.
    for (const worker of started.toReversed()) await worker.stop();
  }
}

/** Services and everything they call. */
function withCallees(names: readonly TargetName[], all = new Set<TargetName>()): ReadonlySet<TargetName> {
  for (const name of names) {
    if (all.has(name)) continue;
    all.add(name);
    withCallees(TARGETS[name].calls, all);
  }
  return all;
}
