import { lostPods, regainPods } from '../domain/endpoints.ts';
import { newPerson, type PersonDoc } from '../domain/person.ts';
import { complete, expire, isDue } from '../domain/settle.ts';
import { err } from '../errors.ts';
import type { Cause } from '../events.ts';
import type { Core } from './core.ts';

/** What a rule made of a document; the same object when it changes nothing. */
export interface Decision {
  readonly doc: PersonDoc;
}

const ATTEMPTS = 12;

/**
 * Reads a person, lets `decide` change him, stores the result if nobody was faster, and publishes what became visible.
 * One read, one write, one message; none of the latter two when nothing changes. `decide` may throw a refusal.
 */
export async function change<D extends Decision>(
  core: Core,
  personId: string,
  cause: Cause,
  traceparent: string | undefined,
  decide: (doc: PersonDoc, now: number) => D,
): Promise<D> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 2) await core.clock.sleep(Math.ceil(core.ids.fraction() * 2 ** attempt));
    const read = (await core.people.get(personId)) ?? newPerson(personId);
    const lost = lostPods(read);
    const live = lost.length > 0 ? await core.liveLeases.among(lost) : NONE;
    const now = core.time.now();
    const current = timePassed(core, read, live, now);
    const decision = decide(current, now);
    if (decision.doc === read && !isDue(read, now)) return decision;
    const doc = await commit(core, decision.doc, now, cause, traceparent);
    if (doc) {
      core.events.endpointsRemoved(read.endpoints.length - current.endpoints.length);
      return { ...decision, doc };
    }
  }
  throw err('presence.contention', { retryAfterMs: 1000 });
}

const NONE: ReadonlySet<string> = new Set();

/** What time and the return of pods have made of a document. */
export function timePassed(core: Core, doc: PersonDoc, livePods: ReadonlySet<string>, now: number): PersonDoc {
  return expire(livePods.size > 0 ? regainPods(doc, livePods) : doc, now, core.policy.timing);
}

/** Completes, stores and publishes; undefined when somebody was faster. */
export async function commit(
  core: Core,
  changed: PersonDoc,
  now: number,
  cause: Cause,
  traceparent?: string,
): Promise<PersonDoc | undefined> {
  const { doc, publications } = complete(changed, now, core.policy, core.codec);
  const stored = await core.people.save(doc);
  if (!stored) {
    core.events.conflict(cause);
    return undefined;
  }
  core.views.changed(stored);
  if (stored.nextChangeAt !== undefined) core.changesIn(stored.nextChangeAt - now);
  for (const publication of publications) {
    core.publisher.publish(publication, traceparent);
    core.events.published(publication.level, cause);
  }
  return stored;
}
