import type { Clock } from '@parley/runtime';
import type { Topology } from '../topology.ts';
import { SIGNS_OF_LIFE, transferables } from './decisions.ts';

/** What says that services of this installation run now: names of collections; empty when nothing does. */
export async function signsOfLife(topology: Topology, clock: Pick<Clock, 'now'>): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const { service, spec } of transferables()) {
    const alive = SIGNS_OF_LIFE[spec.name];
    if (!alive) continue;
    const now = Math.max(clock.now(), await (await topology.store(service)).now());
    const reader = await topology.bulkReader(service);
    try {
      for await (const docs of reader.read(spec))
        if (docs.some(doc => alive(doc, now))) found.add(`${spec.name} has one that is in force`);
    } finally {
      await reader.close();
    }
  }
  return [...found];
}
