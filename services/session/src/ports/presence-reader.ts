import type { Level } from '../domain/level.ts';

/** What somebody may see of a person. */
export interface ResolvedPresence {
  readonly personId: string;
  readonly level: Exclude<Level, 0>;
  readonly revision: number;
  readonly aclRevision: number;
  /** An encoded view. */
  readonly view: Uint8Array;
}

/** What the pod has of a view. */
export interface Digest {
  readonly personId: string;
  readonly level: Exclude<Level, 0>;
  readonly revision: number;
  readonly aclRevision: number;
}

/** The owner of everybody's presence. */
export interface PresenceReader {
  /** At what level `watcherId` sees each of at most 1,000 people, and what. */
  resolve(watcherId: string, personIds: readonly string[]): Promise<readonly ResolvedPresence[]>;
  /** Of at most 20,000 views, those of which there is something newer. */
  newer(digests: readonly Digest[]): Promise<readonly ResolvedPresence[]>;
}
