import type { Level, PersonDoc, ViewEntry } from './person.ts';
import { offlineView, type View } from './project.ts';

/** What was last published at one level. */
export interface StoredView {
  readonly rev: number;
  /** Access-list revision under which it was stamped. */
  readonly acl: number;
  readonly bytes: Uint8Array;
}

/** How views become bytes; `encode` leaves the revision out, `stamp` adds it. */
export interface ViewCodec {
  encode(view: View): Uint8Array;
  stamp(view: Uint8Array, revision: number): Uint8Array;
  /** Whether `stamped` is `view` with this revision. */
  isStamped(stamped: Uint8Array, view: Uint8Array, revision: number): boolean;
}

/** The view kept for a level; undefined when nobody can be watching at it. */
export function storedView(doc: Pick<PersonDoc, 'views' | 'bytes'>, level: Level): StoredView | undefined {
  const [only] = doc.views;
  if (only?.level === level && only.size === doc.bytes.length)
    return { rev: only.rev, acl: only.acl, bytes: doc.bytes };
  let start = 0;
  for (const { level: own, rev, acl, size } of doc.views) {
    if (own === level) return { rev, acl, bytes: doc.bytes.subarray(start, start + size) };
    start += size;
  }
  return undefined;
}

/** What a level shows of somebody before anything was ever published, and of somebody who does not exist. */
export function unseen(personId: string, codec: ViewCodec): StoredView {
  return { rev: 0, acl: 0, bytes: codec.encode(offlineView(personId)) };
}

/** Puts the views of a document together. */
export function packViews(
  views: readonly (readonly [level: Level, view: StoredView])[],
): Pick<PersonDoc, 'views' | 'bytes'> {
  const entries = views.map(([level, { rev, acl, bytes }]): ViewEntry => ({ level, rev, acl, size: bytes.length }));
  const [first] = views;
  if (views.length === 1 && first) return { views: entries, bytes: first[1].bytes };
  const bytes = new Uint8Array(entries.reduce((sum, e) => sum + e.size, 0));
  let start = 0;
  for (const [, view] of views) {
    bytes.set(view.bytes, start);
    start += view.bytes.length;
  }
  return { views: entries, bytes };
}
