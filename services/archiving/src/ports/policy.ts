import type { CallContext } from '@parley/rpc';

/** The policy that applies to everybody. */
export interface GlobalPolicy {
  readonly internal: boolean;
  readonly external: boolean;
  readonly critical: boolean;
  /** People whose own policy says something else. */
  readonly exceptions: number;
}

export interface PolicyReader {
  /** Asked on behalf of the caller; undefined when there is no answer. */
  global(context: CallContext): Promise<GlobalPolicy | undefined>;
}
