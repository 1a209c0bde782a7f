/**
 * Who counts as an enabled administrator, in one document, so that "not the last one" is decided by one
 * compare-and-set. The list never names anybody who is none: whoever leaves is taken off before his account changes,
 * whoever joins is put on after. `left` keeps a joining that is under way from overtaking a leaving: the joiner must
 * have written the account after the leaver read it.
 */
export interface Administrators {
  readonly v: 1;
  readonly members: readonly Entry[];
  readonly left: readonly (Entry & { readonly atMs: number })[];
}

export interface Entry {
  readonly id: string;
  /** Revision of the account that was seen. */
  readonly revision: number;
}

export const maxAdministrators = 1000;
const keepLeftMs = 24 * 3600 * 1000;

export const noAdministrators: Administrators = { v: 1, members: [], left: [] };

export type LeaveDecision<A> = { readonly kind: 'store'; readonly next: A } | { readonly kind: 'last' };

/** Takes somebody off, whose account was read at `revision`, before that account is changed. */
export function leave<A extends Administrators>(state: A, id: string, revision: number, now: number): LeaveDecision<A> {
  const members = state.members.filter(member => member.id !== id);
  if (members.length === 0) return { kind: 'last' };
  const left = [...state.left.filter(l => l.id !== id && now - l.atMs < keepLeftMs), { id, revision, atMs: now }];
  return { kind: 'store', next: { ...state, members, left } };
}

export type JoinDecision<A> =
  | { readonly kind: 'store'; readonly next: A }
  | { readonly kind: 'unchanged' }
  /** Somebody began to take him off after the account was written: write it again first. */
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'full' };

/** Puts somebody on, whose account was written as an enabled administrator's at `revision`. */
export function join<A extends Administrators>(state: A, id: string, revision: number): JoinDecision<A> {
  if (state.members.some(member => member.id === id)) return { kind: 'unchanged' };
  const leaving = state.left.find(l => l.id === id);
  if (leaving && revision <= leaving.revision) return { kind: 'overtaken' };
  if (state.members.length >= maxAdministrators) return { kind: 'full' };
  const left = state.left.filter(l => l.id !== id);
  return { kind: 'store', next: { ...state, members: [...state.members, { id, revision }], left } };
}
