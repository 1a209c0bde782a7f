import { levelsInUse } from './access.ts';
import { aggregate } from './aggregate.ts';
import { removedAt } from './endpoints.ts';
import type { Level, PersonDoc, Timing } from './person.ts';
import { project } from './project.ts';
import { packViews, type StoredView, storedView, unseen, type ViewCodec } from './views.ts';

/** What decides how a document is completed. */
export interface Policy {
  readonly timing: Timing;
  readonly showLastActive: boolean;
}

/** A view that changed and has to be published at its level. */
export interface Publication {
  readonly personId: string;
  readonly level: Level;
  readonly view: StoredView;
}

/** Removes what time has ended. The same document when nothing has. */
export function expire(doc: PersonDoc, now: number, timing: Timing): PersonDoc {
  let next = doc;
  if (doc.endpoints.some(e => removedAt(e, now, timing)))
    next = { ...next, endpoints: doc.endpoints.filter(e => !removedAt(e, now, timing)) };
  if (doc.manual?.endsAt !== undefined && doc.manual.endsAt <= now) {
    const { manual: _manual, ...rest } = next;
    next = rest;
  }
  return next;
}

/** Whether time alone calls for a change of the document. */
export function isDue(doc: PersonDoc, now: number): boolean {
  return doc.nextChangeAt !== undefined && doc.nextChangeAt <= now;
}

/**
 * Completes a changed document: aggregate, views, what follows from them. A view gets a new revision, greater than any
 * before at any level, only when it shows something else or the access list changed.
 */
export function complete(
  changed: PersonDoc,
  now: number,
  policy: Policy,
  codec: ViewCodec,
): { readonly doc: PersonDoc; readonly publications: readonly Publication[] } {
  const { state, nextChangeAt } = aggregate(changed, now, policy.timing);
  const modeSince = state.mode === changed.mode ? changed.modeSince : now;
  const shown = { _id: changed._id, modeSince, ...(changed.note ? { note: changed.note } : {}) };
  const publications: Publication[] = [];
  const views: [Level, StoredView][] = [];
  let rev = changed.rev;
  for (const level of levelsInUse(changed.members)) {
    const before = storedView(changed, level) ?? unseen(changed._id, codec);
    const encoded = codec.encode(project(state, shown, level, policy.showLastActive));
    if (before.acl === changed.acl && codec.isStamped(before.bytes, encoded, before.rev)) {
      views.push([level, before]);
      continue;
    }
    // One revision for all levels of a change: a watcher who changes level must not meet an older one.
    if (rev === changed.rev) rev++;
    const view: StoredView = { rev, acl: changed.acl, bytes: codec.stamp(encoded, rev) };
    views.push([level, view]);
    publications.push({ personId: changed._id, level, view });
  }
  const { nextChangeAt: _before, ...rest } = changed;
  const doc: PersonDoc = {
    ...rest,
    pods: podsOf(changed),
    mode: state.mode,
    modeSince,
    rev,
    ...(publications.length > 0 || changed.views.length === 0 ? packViews(views) : {}),
    ...(nextChangeAt === undefined ? {} : { nextChangeAt }),
  };
  return { doc, publications };
}

function podsOf(doc: PersonDoc): readonly string[] {
  const pods: string[] = [];
  for (const { pod } of doc.endpoints) if (!pods.includes(pod)) pods.push(pod);
  return pods.length === doc.pods.length && pods.every((p, i) => p === doc.pods[i]) ? doc.pods : pods;
}
