import type { Command } from '../domain/commands.ts';
import type { Revisions } from '../domain/freshness.ts';
import type { PublishedLevel } from '../domain/level.ts';

/** Stops a subscription. */
export type Stop = () => void;

/** A change of presence as it was published. */
export interface PresenceChange extends Revisions {
  /** An encoded view. */
  readonly view: Uint8Array;
}

/** What the directory says of a person. */
export interface SignInsChanged {
  readonly personId: string;
  /** Every sign-in of his has ended, or he was disabled. */
  readonly all: boolean;
  readonly endedSignInIds: readonly string[];
}

/** Why hints may have been lost. */
export type HintLoss = 'disconnected' | 'restored' | 'slow-consumer';

/** Hints between processes, at most once. Handlers must return at once. */
export interface Hints {
  /** `traceparent`: W3C trace context of the call that asked for it. */
  publishCommand(sessionId: string, command: Command, traceparent: string | undefined): void;
  onCommand(sessionId: string, handler: (command: Command) => void): Stop;
  /** Encoded events of conversations. */
  onIm(personId: string, handler: (event: Uint8Array) => void): Stop;
  onPresence(personId: string, level: PublishedLevel, handler: (change: PresenceChange) => void): Stop;
  onSignInsChanged(handler: (change: SignInsChanged) => void): Stop;
  onLoss(handler: (loss: HintLoss) => void): Stop;
  /** Resolves when all subscriptions so far stand. */
  flush(): Promise<void>;
  readonly connected: boolean;
}
