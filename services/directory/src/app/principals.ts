import type { Account } from '../domain/account.ts';
import type { Person } from '../domain/person.ts';
import {
  type ArchivingPolicy,
  type EffectivePolicy,
  effectivePolicy,
  layersVersion,
  type PolicyLayers,
  policyId,
} from '../domain/policy.ts';
import type { Records } from '../ports/records.ts';
import { getAll } from './update.ts';

/** What services know of a person. */
export interface PrincipalView {
  readonly id: string;
  readonly person: Person;
  readonly account: Account;
  readonly archiving: EffectivePolicy;
  readonly version: number;
}

export type PrincipalNeeds = Pick<Records, 'people' | 'accounts' | 'policies'> & {
  readonly fallbackPolicy: ArchivingPolicy;
};

/** Three reads for any 500 people. */
export async function loadPrincipals(needs: PrincipalNeeds, ids: readonly string[]): Promise<readonly PrincipalView[]> {
  const [people, accounts] = await Promise.all([getAll(needs.people, ids), getAll(needs.accounts, ids)]);
  const scopes = new Set(['global']);
  for (const [id, person] of people) {
    scopes.add(policyId({ kind: 'person', personId: id }));
    if (person.site) scopes.add(policyId({ kind: 'site', site: person.site }));
  }
  const policies = await getAll(needs.policies, scopes);
  const views: PrincipalView[] = [];
  for (const [id, person] of people) {
    const account = accounts.get(id);
    if (!account) continue;
    const layers: PolicyLayers = {
      person: policies.get(policyId({ kind: 'person', personId: id })),
      site: person.site ? policies.get(policyId({ kind: 'site', site: person.site })) : undefined,
      global: policies.get('global'),
    };
    const archiving = effectivePolicy(layers, needs.fallbackPolicy);
    const version = Math.max(person.version, account.version, layersVersion(layers));
    views.push({ id, person, account, archiving, version });
  }
  return views;
}
