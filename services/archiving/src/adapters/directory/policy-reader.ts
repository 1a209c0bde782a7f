import { PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { type Channel, createClient } from '@parley/rpc';
import type { PolicyReader } from '../../ports/policy.ts';

export function createPolicyReader(directory: Channel, timeoutMs: number): PolicyReader {
  const client = createClient(PolicyAdminService, directory);
  return {
    async global(context) {
      try {
        const answer = await client.getEffectiveArchivingPolicy({ person: '' }, { timeoutMs, context });
        const policy = answer.effective?.policy;
        return (
          policy && {
            internal: policy.archiveInternal,
            external: policy.archiveExternal,
            critical: policy.critical,
            exceptions: Number(answer.peopleWithOwnPolicy),
          }
        );
      } catch {
        return undefined;
      }
    },
  };
}
