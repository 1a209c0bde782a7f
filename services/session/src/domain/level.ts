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
 * The level whose changes tell the pod about a list of watchers: its own, and the usual one for those who see nothing
 * (yet), because every change carries the revision of the access list.
 */
export function listensTo(level: Level): PublishedLevel {
  return level === UNRESOLVED || level === BLOCKED ? COLLEAGUES : level;
}
