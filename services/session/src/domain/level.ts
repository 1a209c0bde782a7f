/** Levels by their number in the contract; 0 stands for "not resolved: show nothing". */
export const UNRESOLVED = 0;
export const EXTERNAL = 1;
export const COLLEAGUES = 2;
export const WORKGROUP = 3;
export const FRIENDS = 4;
export const BLOCKED = 5;

export type Level =
  | typeof UNRESOLVED
  | typeof EXTERNAL
  | typeof COLLEAGUES
  | typeof WORKGROUP
  | typeof FRIENDS
  | typeof BLOCKED;

/** Levels that have changes published of their own. */
export type PublishedLevel = Exclude<Level, typeof UNRESOLVED | typeof BLOCKED>;

/**
 * The level that everybody is published at. Whoever watches at another one listens to it as well: every change carries
 * the revision of the access list, and a level that was taken away from its last watcher is published no more.
 */
export const USUAL = COLLEAGUES;

/** Whether changes are published at the level. */
export function isPublished(level: Level): level is PublishedLevel {
  return level !== UNRESOLVED && level !== BLOCKED;
}
