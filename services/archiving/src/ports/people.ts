import type { CallContext } from '@parley/rpc';
import type { Party } from '../domain/audit-entry.ts';

/** Who people are. Asked on behalf of the caller. */
export interface PeopleReader {
  /** Those found, in no order; an address somebody had before leads to him. Throws when the directory does not answer. */
  find(
    wanted: { readonly ids: readonly string[]; readonly addresses: readonly string[] },
    context: CallContext,
  ): Promise<readonly Party[]>;
}
