import {
  type ArchivingPolicy,
  type EffectivePolicy,
  effectivePolicy,
  PERSON_POLICIES,
  type PolicyScope,
  policyId,
  type StoredPolicy,
  samePolicy,
} from '../domain/policy.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Announcements } from '../ports/announcements.ts';
import type { Records, Stored } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { needPerson, type PersonRef } from './find-person.ts';
import { loadPrincipals, type PrincipalNeeds } from './principals.ts';
import { maxTries, revisionOf } from './update.ts';
import type { Versions } from './versions.ts';

export interface PolicyNeeds extends PrincipalNeeds, Pick<Records, 'addresses'> {
  readonly versions: Versions;
  readonly announcements: Announcements;
  readonly events: DirectoryEvents;
}

/** A person, a site, or everybody. */
export type ScopeRef =
  | { readonly kind: 'global' }
  | { readonly kind: 'site'; readonly site: string }
  | { readonly kind: 'person'; readonly person: PersonRef };

/** Sets a policy, or with `null` takes it away. What is set already stays as it is. */
export async function setArchivingPolicy(
  needs: PolicyNeeds,
  command: { readonly scope: ScopeRef; readonly policy: ArchivingPolicy | null },
  actor: Actor | undefined,
  call: Call,
): Promise<EffectivePolicy> {
  const scope = await scopeOf(needs, command.scope);
  const { stored, changed } = await store(needs, scope, command.policy);
  if (changed) {
    const personId = scope.kind === 'person' ? scope.personId : undefined;
    needs.events.policyChanged(scope.kind, personId, { ...(command.policy ?? { reset: true }) }, causeOf(call, actor));
  }
  const { traceparent } = call;
  if (scope.kind !== 'person') needs.announcements.everybodyChanged(stored.version, traceparent);
  else needs.announcements.personChanged({ personId: scope.personId, version: stored.version, traceparent });
  return effectiveFor(needs, scope);
}

export async function getEffectivePolicy(needs: PolicyNeeds, ref: ScopeRef): Promise<EffectivePolicy> {
  return effectiveFor(needs, await scopeOf(needs, ref));
}

/** How many people have a policy of their own that says something else than the global one. */
export async function countOwnPolicies({ policies }: PolicyNeeds, global: ArchivingPolicy): Promise<number> {
  let count = 0;
  let after: string | undefined;
  do {
    const page = await policies.scan('byId', { range: PERSON_POLICIES, limit: 1_000, ...(after && { after }) });
    for (const { archiving } of page.docs) if (archiving && !samePolicy(archiving, global)) count++;
    after = page.next;
  } while (after !== undefined);
  return count;
}

async function scopeOf(needs: PolicyNeeds, ref: ScopeRef): Promise<PolicyScope> {
  if (ref.kind !== 'person') return ref;
  return { kind: 'person', personId: (await needPerson(needs, ref.person))._id };
}

async function effectiveFor(needs: PolicyNeeds, scope: PolicyScope): Promise<EffectivePolicy> {
  if (scope.kind === 'person') {
    const [principal] = await loadPrincipals(needs, [scope.personId]);
    if (!principal) throw err('directory.person_not_found', { field: 'person' });
    return principal.archiving;
  }
  const site = scope.kind === 'site' ? await needs.policies.get(policyId(scope)) : undefined;
  const global = await needs.policies.get('global');
  return effectivePolicy({ person: undefined, site, global }, needs.fallbackPolicy);
}

async function store(
  needs: PolicyNeeds,
  scope: PolicyScope,
  archiving: ArchivingPolicy | null,
): Promise<{ readonly stored: StoredPolicy; readonly changed: boolean }> {
  const _id = policyId(scope);
  for (let i = 0; i < maxTries; i++) {
    const doc = await needs.policies.get(_id);
    if (samePolicy(doc?.archiving ?? null, archiving)) return { stored: doc ?? untouched, changed: false };
    const known = doc?.version ?? 0;
    const version =
      scope.kind === 'person'
        ? await needs.versions.forPerson(scope.personId)
        : await needs.versions.forEverybody(known);
    const next: Stored<StoredPolicy> = doc
      ? { ...doc, archiving, version: Math.max(version, known + 1) }
      : { _id, v: 1, archiving, version };
    const stored = doc
      ? (await needs.policies.replace(next, revisionOf(doc))).replaced
      : (await needs.policies.insert(next)).inserted;
    if (stored) return { stored: next, changed: true };
  }
  throw err('directory.busy');
}

const untouched: StoredPolicy = { v: 1, archiving: null, version: 0 };
