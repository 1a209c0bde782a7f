import type { Level, Membership, PersonDoc } from './person.ts';

/** Somebody who looks. */
export interface Watcher {
  readonly id: string;
  /** Of this organisation. */
  readonly internal: boolean;
  /** Domain of his address, lower case. */
  readonly domain: string;
}

/** Members that every container has unless the presentity says otherwise: colleagues see each other. */
const DEFAULTS: readonly Membership[] = [{ level: 'colleagues', kind: 'same-enterprise' }];

/** Number of each level's container; of several that fit, the highest wins. */
export const CONTAINER: Readonly<Record<Level, number>> = {
  external: 100,
  colleagues: 200,
  workgroup: 300,
  friends: 400,
  blocked: 32000,
};

/** Rules from the most to the least particular; the first with a match ends the search. */
const RULES: readonly ((member: Membership, watcher: Watcher) => boolean)[] = [
  (m, w) => m.kind === 'user' && m.value === w.id,
  (m, w) => m.kind === 'domain' && m.value === w.domain,
  (m, w) => m.kind === 'same-enterprise' && w.internal,
  (m, w) => m.kind === 'federated' && !w.internal,
];

/**
 * The level at which `watcher` sees the presentity: his own entry, then his domain's, then the organisation's, then
 * federation's; the highest container within a rule. Nobody's rule: he sees nothing. Nobody is of a public cloud yet,
 * whose rule comes last.
 */
export function resolveLevel(presentity: Pick<PersonDoc, '_id' | 'members'>, watcher: Watcher): Level {
  return decidingEntry(presentity, watcher)?.level ?? 'blocked';
}

/** The entry that decides at which level `watcher` sees the presentity. */
export function decidingEntry(presentity: Pick<PersonDoc, 'members'>, watcher: Watcher): Membership | undefined {
  const members = presentity.members?.length ? [...presentity.members, ...DEFAULTS] : DEFAULTS;
  for (const rule of RULES) {
    let best: Membership | undefined;
    for (const member of members) {
      if (rule(member, watcher) && (best === undefined || CONTAINER[member.level] > CONTAINER[best.level]))
        best = member;
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

/** Whether an entry is one that everybody has. */
export const isDefault = (member: Membership): boolean => DEFAULTS.includes(member);

/** Levels at which somebody may be watching, hence those kept encoded and published. */
export function levelsInUse(members: readonly Membership[] | undefined): readonly Level[] {
  if (!members?.length) return DEFAULT_LEVELS;
  return [...new Set([...DEFAULT_LEVELS, ...members.map(m => m.level)])];
}

const DEFAULT_LEVELS: readonly Level[] = DEFAULTS.map(m => m.level);
