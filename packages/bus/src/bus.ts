/** Called for every message of a subscription. Must return at once; what takes time belongs into a queue of its own. */
export type BusHandler = (message: BusMessage) => void;

/** A message as it arrives. */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** W3C trace context and the like. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why messages may have been lost. */
export type ContinuityBreak =
  /** The connection was lost; `restored` follows when it is back. */
  | { readonly kind: 'disconnected' }
  /** The connection is back and every subscription stands again; what was published meanwhile is lost. */
  | { readonly kind: 'restored' }
  /** A subscription could not keep up and lost messages. */
  | { readonly kind: 'slow-consumer'; readonly pattern: string };

/** A live subscription. */
export interface Subscription {
  unsubscribe(): void;
}

/**
 * Hints between processes: at most once, unordered between subjects, ordered per subject and publisher. Whatever must
 * happen is derived from stored state instead. Subjects are dot-separated tokens made by `subject()`; patterns may use
 * `*` for one token and a final `>` for one or more.
 */
export interface Bus {
  /** Hands the message over; never throws for a broken connection (the loss shows as a continuity break). At most 1 MiB. */
  publish(subject: string, data: Uint8Array, headers?: Readonly<Record<string, string>>): void;
  /** With `queue`, each message goes to one member of the queue group only. */
  subscribe(pattern: string, handler: BusHandler, options?: { readonly queue?: string }): Subscription;
  /** Resolves when everything published and subscribed so far has reached the server. Rejects when that takes over 5 s. */
  flush(): Promise<void>;
  /** Calls `listener` for every break; returns a function that stops it. */
  onContinuity(listener: (event: ContinuityBreak) => void): () => void;
  /** Whether messages flow now. */
  readonly connected: boolean;
  /** Finishes what was published and closes. */
  close(): Promise<void>;
}
