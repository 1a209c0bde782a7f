/** Revisions of a view: its own, and of the access list it was made with. */
export interface Revisions {
  readonly revision: number;
  readonly aclRevision: number;
}

/**
 * What to do with a change:
 * `stale` made with an older access list than is known: drop it;
 * `old` not newer than what was forwarded: drop it;
 * `forward` newer;
 * `resolve` made with a newer access list: nobody is shown anything until he was resolved again.
 */
export type Freshness = 'stale' | 'old' | 'forward' | 'resolve';

/** Judges a change against the person's access-list revision and the view's revision. */
export function judge(aclRevision: number, revision: number, change: Revisions): Freshness {
  if (change.aclRevision < aclRevision) return 'stale';
  if (change.aclRevision > aclRevision) return 'resolve';
  return change.revision > revision ? 'forward' : 'old';
}
