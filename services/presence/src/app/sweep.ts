import { lostPods } from '../domain/endpoints.ts';
import type { PersonDoc } from '../domain/person.ts';
import { commit, timePassed } from './change.ts';
import type { Core } from './core.ts';

/** Writes under way at the same time; a store that commits in groups makes one of them. */
const TOGETHER = 100;

/**
 * Does what time alone calls for, for everybody who is due. Several replicas may sweep at once: each begins somewhere
 * else, the store decides who changes a person, and only he publishes. Resolves with the number of people changed.
 */
export async function sweep(core: Core): Promise<number> {
  let changed = 0;
  for (;;) {
    const docs = await core.people.due(core.time.now(), core.config.sweepBatch);
    if (changed === 0)
      core.events.sweepLag(docs[0]?.nextChangeAt === undefined ? 0 : core.time.now() - docs[0].nextChangeAt);
    const start = Math.floor(core.ids.fraction() * docs.length);
    let won = 0;
    for (let i = 0; i < docs.length; i += TOGETHER) {
      const group = Array.from(
        { length: Math.min(TOGETHER, docs.length - i) },
        (_, n) => (start + i + n) % docs.length,
      );
      won += await settle(
        core,
        group.map(n => docs[n] as PersonDoc),
      );
    }
    changed += won;
    if (docs.length < core.config.sweepBatch || won === 0) return changed;
  }
}

async function settle(core: Core, docs: readonly PersonDoc[]): Promise<number> {
  const pods = [...new Set(docs.flatMap(lostPods))];
  const live = pods.length > 0 ? await core.liveLeases.among(pods) : new Set<string>();
  const done = await Promise.allSettled(docs.map(doc => settleOne(core, doc, live)));
  const failures = done.filter(result => result.status === 'rejected');
  // One person who cannot be changed must not keep the others waiting.
  if (failures.length === docs.length) throw failures[0]?.reason;
  for (const { reason } of failures) core.events.sweepFailed(reason, true);
  return done.filter(result => result.status === 'fulfilled' && result.value).length;
}

async function settleOne(core: Core, doc: PersonDoc, live: ReadonlySet<string>): Promise<boolean> {
  const now = core.time.now();
  const current = timePassed(core, doc, live, now);
  if (!(await commit(core, current, now, 'time'))) return false;
  core.events.endpointsRemoved(doc.endpoints.length - current.endpoints.length);
  return true;
}
