import { resolveLevel, type Watcher } from '../domain/access.ts';
import type { Level } from '../domain/person.ts';
import { type StoredView, storedView, unseen } from '../domain/views.ts';
import type { Core } from './core.ts';
import type { Seen } from './view-cache.ts';

/** What somebody may see of somebody. */
export interface Resolved {
  readonly personId: string;
  readonly level: Level;
  readonly acl: number;
  readonly view: StoredView;
}

/** Ids of one read; several reads run at the same time. */
const CHUNK = 250;

/** In the order asked for; somebody unknown looks like somebody offline. */
export async function resolve(
  core: Core,
  watcherId: string,
  presentityIds: readonly string[],
): Promise<readonly Resolved[]> {
  const watcher = await core.watchers.require(watcherId);
  const begun = core.views.begin();
  const known = new Map<string, Seen>();
  const missing: string[] = [];
  for (const id of new Set(presentityIds)) {
    const seen = core.views.get(id);
    if (seen) known.set(id, seen);
    else missing.push(id);
  }
  if (missing.length > 0) {
    const chunks = Array.from({ length: Math.ceil(missing.length / CHUNK) }, (_, i) =>
      core.people.getMany(missing.slice(i * CHUNK, (i + 1) * CHUNK)),
    );
    for (const docs of await Promise.all(chunks))
      for (const doc of docs) {
        known.set(doc._id, doc);
        core.views.fill(begun, doc);
      }
  }
  return presentityIds.map(id => resolveOne(core, watcher, id, known.get(id)));
}

function resolveOne(core: Core, watcher: Watcher, id: string, seen: Seen | undefined): Resolved {
  const level = resolveLevel(seen ?? { _id: id }, watcher);
  return { personId: id, level, acl: seen?.acl ?? 0, view: viewOf(core, id, seen, level) };
}

/** The view last published at a level; a level that nobody is given shows nothing. */
export function viewOf(core: Core, id: string, seen: Seen | undefined, level: Level): StoredView {
  return (seen && storedView(seen, level)) ?? unseen(id, core.codec);
}
