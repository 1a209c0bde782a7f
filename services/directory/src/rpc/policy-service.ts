import { PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import type { ServiceImpl } from '@parley/rpc';
import {
  countOwnPolicies,
  getEffectivePolicy,
  type PolicyNeeds,
  type ScopeRef,
  setArchivingPolicy,
} from '../app/policies.ts';
import type { Standing } from '../app/standing.ts';
import { directoryErrors as err } from '../errors.ts';
import { actorOf, callOf, mountForPeople } from './calls.ts';
import { policyMessage } from './messages.ts';
import { invalid, personRef, site } from './validate.ts';

function scopeFrom(request: { readonly person: string; readonly site: string }): ScopeRef {
  const named = site(request.site, 'site');
  if (request.person === '') return named === '' ? { kind: 'global' } : { kind: 'site', site: named };
  if (named !== '') throw invalid('site', 'empty, as it has to be for the policy of a person');
  return { kind: 'person', person: personRef(request.person) };
}

export function policyService(needs: PolicyNeeds & { readonly standing: Standing }) {
  const impl: ServiceImpl<typeof PolicyAdminService> = {
    async setArchivingPolicy(request, context) {
      if (!request.policy) throw err('directory.field_missing', { field: 'policy' });
      const { archiveInternal, archiveExternal, critical } = request.policy;
      const command = { scope: scopeFrom(request), policy: { archiveInternal, archiveExternal, critical } };
      const effective = await setArchivingPolicy(needs, command, actorOf(context), callOf(context));
      return { effective: policyMessage(effective) };
    },
    async resetArchivingPolicy(request, context) {
      const command = { scope: scopeFrom(request), policy: null };
      const effective = await setArchivingPolicy(needs, command, actorOf(context), callOf(context));
      return { effective: policyMessage(effective) };
    },
    async getEffectiveArchivingPolicy(request) {
      const scope = scopeFrom(request);
      const effective = await getEffectivePolicy(needs, scope);
      const own = scope.kind === 'global' ? await countOwnPolicies(needs, effective.policy) : 0;
      return { effective: policyMessage(effective), peopleWithOwnPolicy: BigInt(own) };
    },
  };
  return mountForPeople(PolicyAdminService, impl, needs.standing);
}
