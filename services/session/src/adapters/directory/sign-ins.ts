import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { type Channel, createClient } from '@parley/rpc';
import type { SignIns } from '../../ports/sign-ins.ts';

/** Sign-ins, kept by the directory service. */
export function createSignIns(channel: Channel): SignIns {
  const directory = createClient(DirectoryInternalService, channel);
  return { ended: async ids => (await directory.checkSignIns({ signInIds: [...ids] })).ended };
}
