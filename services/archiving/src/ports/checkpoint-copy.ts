import type { SignedCheckpoint } from '../domain/checkpoint.ts';

/** The second place of the checkpoints, out of reach of whoever can write to the database. Only ever appended to. */
export interface CheckpointCopy {
  /** Durable when it resolves. */
  append(chain: string, checkpoint: SignedCheckpoint): Promise<void>;
  /** The one that reaches furthest. */
  last(chain: string): Promise<SignedCheckpoint | undefined>;
  /** All of a chain, in the order in which they were appended, which need not be that of their offsets. */
  read(chain: string): AsyncIterable<SignedCheckpoint>;
  /** Chains it knows. */
  chains(): Promise<readonly string[]>;
}
