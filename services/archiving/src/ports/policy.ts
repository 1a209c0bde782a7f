import type { CallContext } from '@parley/rpc';

/** The policy that applies to everybody. */
export interface GlobalPolicy {
  readonly internal: boolean;
  readonly external: boolean;
  readonly critical: boolean;
}

export interface PolicyReader {
  /** Asked on behalf of the caller; undefined when there is no answer. */
  global(context: CallContext): Promise<GlobalPolicy | undefined>;
}
