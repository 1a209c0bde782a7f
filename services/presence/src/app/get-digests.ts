import { setImmediate as otherWork } from 'node:timers/promises';
import type { Level, PersonDoc } from '../domain/person.ts';
import type { Core } from './core.ts';
import { type Resolved, viewOf } from './resolve.ts';

/** A view somebody has. */
export interface Held {
  readonly personId: string;
  readonly level: Level;
  readonly rev: number;
  readonly acl: number;
}

/** Ids of one read; between two of them, other work gets its turn. */
const CHUNK = 200;

/**
 * The views of which somebody has another revision than the newest. Always from the store: this is how what the bus
 * lost is found.
 */
export async function getDigests(core: Core, held: readonly Held[]): Promise<readonly Resolved[]> {
  const changed: Resolved[] = [];
  for (let i = 0; i < held.length; i += CHUNK) {
    if (i > 0) await otherWork();
    const keys = held.slice(i, i + CHUNK);
    const begun = core.views.begin();
    const docs = new Map<string, PersonDoc>();
    for (const doc of await core.people.getMany([...new Set(keys.map(key => key.personId))])) {
      docs.set(doc._id, doc);
      if (core.views.get(doc._id)) core.views.fill(begun, doc);
    }
    for (const { personId, level, rev, acl } of keys) {
      const doc = docs.get(personId);
      const view = viewOf(core, personId, doc, level);
      if (view.rev !== rev || (doc?.acl ?? 0) !== acl) changed.push({ personId, level, acl: doc?.acl ?? 0, view });
    }
  }
  core.events.digestsCompared(held.length, changed.length);
  return changed;
}
