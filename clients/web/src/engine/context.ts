import type { ParleyClient } from '@parley/client';
import type { LocalStore } from './local-data.ts';
import type { TypedStore } from './state.ts';

/** What the leader's surroundings give it. */
export interface EngineEnvironment {
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Calls back after `ms`; returns what cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** What the parts of the leader work with, for one signed-in person. */
export interface Context {
  readonly selfId: string;
  readonly client: ParleyClient;
  readonly store: TypedStore;
  readonly local: LocalStore;
  readonly env: EngineEnvironment;
  /** Aborted when somebody else signs in or another tab leads. */
  readonly signal: AbortSignal;
}

/** Lets work go on by itself; what fails there is not worth telling anybody. */
export const background = (work: Promise<unknown>): void => void work.catch(() => undefined);
