import type { Person } from './person.ts';

/**
 * How a message is treated: `archived` may be delivered while the archive is out of reach and is relayed later;
 * `critical` is refused then.
 */
export type Lane = 'none' | 'archived' | 'critical';

export interface ArchivingDecision {
  readonly lane: Lane;
  /** Scope whose policy decided, for example `person:abc`, `site:hq` or `global`; empty in lane `none`. */
  readonly decidedBy: string;
}

const NOT_ARCHIVED: ArchivingDecision = { lane: 'none', decidedBy: '' };

/**
 * A talk is archived when the policy of at least one of its people says so, and critical when one of those who have it
 * archived asks for critical mode. It counts as external when somebody in it is.
 */
export function decideArchiving(people: readonly Person[]): ArchivingDecision {
  const external = people.some(person => !person.internal);
  let decider: Person | undefined;
  for (const person of people) {
    const { archiving } = person;
    if (!(external ? archiving.external : archiving.internal)) continue;
    if (archiving.critical) return { lane: 'critical', decidedBy: scopeOf(person) };
    decider ??= person;
  }
  return decider ? { lane: 'archived', decidedBy: scopeOf(decider) } : NOT_ARCHIVED;
}

function scopeOf(person: Person): string {
  const { scope } = person.archiving;
  if (scope === 'person') return `person:${person.id}`;
  return scope === 'site' ? `site:${person.site}` : 'global';
}
