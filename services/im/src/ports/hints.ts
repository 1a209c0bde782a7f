/** Tells people's devices that something is there for them. May get lost. */
export interface Hints {
  publish(recipientIds: readonly string[], event: Uint8Array, traceparent?: string): void;
}
