import type { CommandOutcome } from '../domain/command-memory.ts';
import type { EndReason } from '../domain/end-reason.ts';

/** What a client is told when its stream opens. */
export interface Welcome {
  readonly sessionId: string;
  readonly connectionId: string;
  readonly heartbeatMs: number;
  readonly expiresMs: number;
  readonly serverVersion: string;
  readonly minimumClientVersion: string;
  readonly recommendedClientVersion: string;
  readonly serverTimeMs: number;
  readonly syncIntervalMs: number;
}

/** Encodes events of the stream. */
export interface Frames {
  connected(welcome: Welcome): Uint8Array;
  heartbeat(serverTimeMs: number): Uint8Array;
  /** Wraps an encoded view without decoding it. */
  presence(view: Uint8Array): Uint8Array;
  /** Wraps an encoded event of a conversation without decoding it. */
  im(event: Uint8Array): Uint8Array;
  commandResult(commandId: string, outcome: CommandOutcome): Uint8Array;
  resync(afterMs: number, reason: 'continuity' | 'slow_reader'): Uint8Array;
  reconnect(afterMs: number): Uint8Array;
  ended(reason: EndReason): Uint8Array;
}
