import { losePod } from '../domain/endpoints.ts';
import { type LeaseDoc, nextStep } from '../domain/lease.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';

/** Leases looked at by one sweep. */
const BATCH = 100;
/** People changed at the same time. */
const TOGETHER = 100;

/** Gives the endpoints of pods whose lease has lapsed their grace. */
export async function sweepLeases(core: Core): Promise<void> {
  const { leaseRecheckMs: recheckMs, leaseKeepEndedMs: keepEndedMs } = core.config;
  for (const lease of await core.leases.due(core.time.now(), BATCH)) {
    const step = nextStep(lease, core.time.now(), { recheckMs, keepEndedMs });
    if (step.do === 'forget') await core.leases.forget(lease);
    else if (await core.leases.save(step.claimed)) await endLease(core, lease, step.endedAt);
  }
}

async function endLease(core: Core, lease: LeaseDoc, endedAt: number): Promise<void> {
  let after: string | undefined;
  let people = 0;
  do {
    const page = await core.people.ofPod(lease._id, after);
    for (let i = 0; i < page.docs.length; i += TOGETHER) {
      const ids = page.docs
        .slice(i, i + TOGETHER)
        .filter(doc => losePod(doc, lease._id, endedAt) !== doc)
        .map(doc => doc._id);
      people += ids.length;
      await Promise.all(
        ids.map(id => change(core, id, 'lease', undefined, doc => ({ doc: losePod(doc, lease._id, endedAt) }))),
      );
    }
    after = page.next;
  } while (after !== undefined);
  if (!lease.ended || people > 0) core.events.podLost(lease._id, people);
}
