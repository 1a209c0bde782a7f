/** Kinds of event, by the numbers they are stored and sent with. */
export const MESSAGE = 1;

export const PLAIN = 1;
export const NORMAL = 1;
export const HIGH = 2;

/** What a message says. `format` and `importance` are never 0: absent values have become their defaults. */
export interface Content {
  readonly text: string;
  readonly format: number;
  readonly importance: number;
}

/** One immutable event of a conversation. */
export interface Event {
  readonly id: string;
  readonly kind: number;
  readonly conversationId: string;
  readonly senderId: string;
  readonly key: string;
  readonly acceptedMs: number;
  readonly content: Content;
  readonly recipientIds: readonly string[];
}
