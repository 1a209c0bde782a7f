import { type EffectiveArchivingPolicy, PolicyScope } from '@parley/contracts/directory/v1/policy';

/** Scopes of policies, for people and machines. */
export const SCOPES: Readonly<Record<PolicyScope, string>> = {
  [PolicyScope.UNSPECIFIED]: 'unknown',
  [PolicyScope.GLOBAL]: 'global',
  [PolicyScope.SITE]: 'site',
  [PolicyScope.PERSON]: 'person',
};

/** Somebody in a conversation and the policy that applies to him. */
export interface Governed {
  readonly id: string;
  readonly displayName: string;
  readonly site: string;
  readonly effective: EffectiveArchivingPolicy;
}

/** How messages within the organisation are treated, and whose policy says so. */
export interface Decision {
  readonly archived: boolean;
  readonly critical: boolean;
  /** As archive records have it: `person:<id>`, `site:<site>` or `global`; empty when nothing is archived. */
  readonly decidedBy: string;
}

/**
 * What the server decides about a message among `people`, its sender first: it is archived when the policy of at least
 * one of them says so, and critical when one of those asks for it.
 */
export function decisionOf(people: readonly Governed[]): Decision {
  const archiving = people.filter(person => person.effective.policy?.archiveInternal);
  const decider = archiving.find(person => person.effective.policy?.critical) ?? archiving[0];
  if (!decider) return { archived: false, critical: false, decidedBy: '' };
  return { archived: true, critical: decider.effective.policy?.critical === true, decidedBy: scopeText(decider) };
}

function scopeText({ id, site, effective: { scope } }: Governed): string {
  if (scope === PolicyScope.PERSON) return `person:${id}`;
  return scope === PolicyScope.SITE ? `site:${site}` : 'global';
}

/** `decidedBy` in words. */
export function deciderInWords(decidedBy: string, nameOf: (personId: string) => string): string {
  const [scope = '', name = ''] = decidedBy.split(/:(.*)/s);
  if (scope === 'person') return `the policy of ${nameOf(name)}`;
  return scope === 'site' ? `the policy of the site ${name}` : 'the global policy';
}

/** Whether a message can get lost to the archive, in words. */
export const modeInWords = (critical: boolean): string =>
  `${critical ? 'in critical mode' : 'not in critical mode'}: ${promiseOf(critical)}`;

/** What is promised to the archive, in words. */
export const promiseOf = (critical: boolean): string =>
  critical
    ? 'what cannot be archived is refused and delivered to nobody'
    : 'what cannot be archived at once is delivered and archived later';
