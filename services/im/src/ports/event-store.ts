/** An event as it is kept. */
export interface StoredEvent {
  readonly id: string;
  readonly conversationId: string;
  readonly key: string;
  readonly recipientIds: readonly string[];
  /** The encoded event, as it is published. */
  readonly payload: Uint8Array;
  /** What still has to be relayed to the archive log, and since when. */
  readonly pending?: { readonly record: Uint8Array; readonly sinceMs: number };
  /** Needed to change it. */
  readonly revision?: number;
}

/** Stands in the place of an event whose author was told that it reached nobody. */
export interface Refusal {
  readonly id: string;
  readonly refusedUntilMs: number;
  readonly revision: number;
}

export const isRefusal = (found: StoredEvent | Refusal): found is Refusal => 'refusedUntilMs' in found;

/** What became of a write. */
export type InsertOutcome =
  | { readonly kind: 'inserted'; readonly revision: number }
  /** An event with this id was there before. */
  | { readonly kind: 'exists'; readonly event: StoredEvent }
  /** A refusal is in its place. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly outcome: 'not-applied' | 'unknown'; readonly cause: unknown };

/** Durable events. */
export interface EventStore {
  /** `over`: the refusal whose place it may take, if nobody refused it again since that was read. */
  insert(event: StoredEvent, over?: Refusal): Promise<InsertOutcome>;
  find(id: string): Promise<StoredEvent | Refusal | undefined>;
  /** In no order; at most 1,000 ids. */
  findMany(ids: readonly string[]): Promise<readonly (StoredEvent | Refusal)[]>;
  /** Puts `event` in place of its earlier form, if that was not changed meanwhile. */
  replace(event: StoredEvent): Promise<boolean>;
  /** Events for a person with `after < key <= upTo`, oldest first. */
  inbox(personId: string, after: string, upTo: string, limit: number): Promise<readonly StoredEvent[]>;
  /** Events of a conversation before `before`, newest first. */
  history(conversationId: string, before: string | undefined, limit: number): Promise<readonly StoredEvent[]>;
  /** Events with a pending record, the longest waiting first. */
  pending(limit: number): Promise<readonly StoredEvent[]>;
  /** How many wait, counted no further than `cap`. */
  countPending(cap: number): Promise<number>;
}

/**
 * Sends that were refused although the log may hold them. A refusal takes the very place of the event, so that one of
 * the two is there and never both, whoever writes at the same moment.
 */
export interface RefusalStore {
  /**
   * Durable when it resolves; what read an earlier refusal cannot be stored over it any more. Resolves with the event
   * when that was stored before.
   */
  put(eventId: string, untilMs: number): Promise<StoredEvent | undefined>;
  /** Removes those that were to be kept until before `ms`, at most `limit`; resolves with how many it looked at. */
  forget(ms: number, limit: number): Promise<number>;
}

/** The store's own time. */
export interface StoreTimeSource {
  now(): Promise<number>;
}
