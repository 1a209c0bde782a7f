import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import type { Link } from '../domain/link.ts';
import type { ParkReason } from '../domain/record.ts';

/** Raw bytes of a record, with what searches need. */
export interface Content {
  readonly id: string;
  /** Place of the link it was first archived for. */
  readonly place: string;
  readonly raw: Uint8Array;
  readonly conversationId?: string;
  readonly personIds?: readonly string[];
  readonly acceptedMs?: number;
  readonly parkedMs?: number;
  readonly parkReason?: ParkReason;
  /** Place of the record that says it was not accepted. */
  readonly deniedBy?: string | undefined;
  readonly revision?: number;
}

export interface ParkedPage {
  readonly contents: readonly Content[];
  readonly next: string | undefined;
}

/** Links: never changed, never removed. */
export interface LinkStore {
  /** Whether each was new, in their order. */
  insert(links: readonly Link[]): Promise<readonly boolean[]>;
  get(place: string): Promise<Link | undefined>;
  /** In no order; at most 1,000. */
  getMany(places: readonly string[]): Promise<readonly Link[]>;
  /** First link of a chain. */
  first(chain: string): Promise<Link | undefined>;
  /** Last link of a chain; with `before`, the last one below that place. */
  last(chain: string, before?: string): Promise<Link | undefined>;
  /** Links of a chain with `after < place < before`, in order. */
  page(chain: string, after: string | undefined, before: string, limit: number): Promise<readonly Link[]>;
  /** The first link of any chain beyond `chain`. */
  next(chain: string | undefined): Promise<Link | undefined>;
}

export interface ContentStore {
  /** For each, in their order: undefined when it was new, else what was there before. */
  insert(contents: readonly Content[]): Promise<readonly (Content | undefined)[]>;
  /** In no order; at most 1,000. */
  getMany(ids: readonly string[]): Promise<readonly Content[]>;
  /** Changes `deniedBy` of a content, whatever else happens to it meanwhile. */
  setDenied(id: string, by: string | undefined): Promise<void>;
  /** How many are parked, counted no further than `cap`. */
  countParked(cap: number): Promise<number>;
  /** Those that are parked, oldest first; undefined when `after` is no `next` of a page. */
  listParked(limit: number, after: string | undefined): Promise<ParkedPage | undefined>;
}

export interface CheckpointStore {
  insert(checkpoint: SignedCheckpoint): Promise<void>;
  get(chain: string, next: number): Promise<SignedCheckpoint | undefined>;
  last(chain: string): Promise<SignedCheckpoint | undefined>;
  /** Checkpoints of a chain that reach further than `after`, in order. */
  page(chain: string, after: number, limit: number): Promise<readonly SignedCheckpoint[]>;
  /** The first checkpoint of any chain beyond `chain`. */
  next(chain: string | undefined): Promise<SignedCheckpoint | undefined>;
}
