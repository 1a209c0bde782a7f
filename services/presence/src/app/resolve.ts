import { resolveLevel, type Watcher } from '../domain/access.ts';
import type { Level } from '../domain/person.ts';
import { packViews, type StoredView, storedView, unseen } from '../domain/views.ts';
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
  const seen = presentityIds.map(id => core.views.get(id));
  const missing = presentityIds.filter((_, i) => seen[i] === undefined);
  const read = missing.length > 0 ? await readMissing(core, missing) : NOBODY;
  return presentityIds.map((id, i) => resolveOne(core, watcher, seen[i] ?? (read.get(id) as Seen)));
}

const NOBODY: ReadonlyMap<string, Seen> = new Map();

/** Those who are not in memory, from the store; everybody asked for is in the answer. */
async function readMissing(core: Core, ids: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  const begun = core.views.begin();
  const read = new Map<string, Seen>();
  const missing = [...new Set(ids)];
  const chunks = Array.from({ length: Math.ceil(missing.length / CHUNK) }, (_, i) =>
    core.people.getMany(missing.slice(i * CHUNK, (i + 1) * CHUNK)),
  );
  for (const docs of await Promise.all(chunks)) for (const doc of docs) read.set(doc._id, doc);
  for (const id of missing) {
    const seen = read.get(id) ?? neverSeen(core, id);
    read.set(id, seen);
    core.views.fill(begun, seen);
  }
  return read;
}

/** Somebody without a document, as if he had one. */
function neverSeen(core: Core, id: string): Seen {
  return { _id: id, acl: 0, ...packViews([['colleagues', unseen(id, core.codec)]]) };
}

function resolveOne(core: Core, watcher: Watcher, seen: Seen): Resolved {
  const level = resolveLevel(seen, watcher);
  return { personId: seen._id, level, acl: seen.acl, view: viewOf(core, seen._id, seen, level) };
}

/** The view last published at a level; a level that nobody is given shows nothing. */
export function viewOf(core: Core, id: string, seen: Seen | undefined, level: Level): StoredView {
  return (seen && storedView(seen, level)) ?? unseen(id, core.codec);
}
