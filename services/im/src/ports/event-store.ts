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

/** What became of a write. */
export type InsertOutcome =
  | { readonly kind: 'inserted' }
  /** An event with this id was there before. */
  | { readonly kind: 'exists'; readonly event: StoredEvent }
  | { readonly kind: 'failed'; readonly outcome: 'not-applied' | 'unknown'; readonly cause: unknown };

/** Durable events. */
export interface EventStore {
  insert(event: StoredEvent): Promise<InsertOutcome>;
  find(id: string): Promise<StoredEvent | undefined>;
  /** In no order; at most 1,000 ids. */
  findMany(ids: readonly string[]): Promise<readonly StoredEvent[]>;
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

/** Sends that were refused although the log may hold them, so that nobody completes them. */
export interface RefusalStore {
  /** Durable when it resolves. */
  put(eventId: string, untilMs: number): Promise<void>;
  /** Those of `eventIds` (at most 1,000) that were refused. */
  find(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** The store's own time. */
export interface StoreTimeSource {
  now(): Promise<number>;
}
