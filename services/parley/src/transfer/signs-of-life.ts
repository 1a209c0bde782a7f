import type { Clock } from '@parley/runtime';
import type { Topology } from '../topology.ts';
import { SIGNS_OF_LIFE, transferables } from './decisions.ts';
import type { Progress } from './progress.ts';
import { reading } from './reading.ts';

const LOOK_MS = 500;
/** No lease is longer (session.leaseMs). */
const LONGEST_MS = 300_000;

/**
 * Resolves when nothing says that services of this installation run. A process that was killed leaves a lease behind,
 * which runs out; one that is renewed meanwhile is of a process that runs: then, this rejects.
 */
export async function nobodyRuns(
  topology: Topology,
  { clock, progress, task }: { readonly clock: Clock; readonly progress: Progress; readonly task: string },
): Promise<void> {
  const running = (name: string) =>
    new Error(`services of this installation run (${name}); stop all of them, then ${task}`);
  for (const { service, spec } of transferables()) {
    const until = SIGNS_OF_LIFE[spec.name];
    if (!until) continue;
    const store = await topology.store(service);
    const latest = () =>
      reading(topology, service, async reader => {
        let found = 0;
        for await (const docs of reader.read(spec)) for (const doc of docs) found = Math.max(found, until(doc));
        return found;
      });
    const first = await latest();
    for (let now = await store.now(); now < first; now = await store.now()) {
      if (first - now > LONGEST_MS || (await latest()) > first) throw running(spec.name);
      progress.at(
        `waiting ${Math.ceil((first - now) / 1000)} s for what a process left behind in ${spec.name} to run out`,
      );
      await clock.sleep(Math.min(LOOK_MS, first - now + 1));
    }
    if ((await latest()) > first) throw running(spec.name);
  }
}
