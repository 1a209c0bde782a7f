import type { DeviceType, MachineState } from '@parley/contracts/presence/v1/presence';
import type { Connected, SessionEvent } from '@parley/contracts/session/v1/session';
import type { ParleyClientError } from './errors.ts';
import type { ReadableStore } from './store.ts';

/** How the stream stands. */
export type ConnectionState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'connecting'; readonly attempt: number }
  | {
      readonly phase: 'online';
      readonly sessionId: string;
      readonly serverVersion: string;
      /** The server recommends a newer client. */
      readonly upgradeAdvised: boolean;
      /** How far this machine's clock was ahead of the server's when the stream opened, milliseconds. */
      readonly clockAheadMs: number;
    }
  /** Will try again by itself at `retryAtMs`. */
  | { readonly phase: 'waiting'; readonly retryAtMs: number; readonly error: ParleyClientError }
  /** Will not try again by itself. */
  | {
      readonly phase: 'ended';
      readonly reason: 'signed-out' | 'taken-over' | 'closed' | 'refused';
      readonly error?: ParleyClientError;
    };

/** What the connection tells its owner. */
export interface ConnectionEvents {
  /** The stream is open: synchronise. */
  onConnected(connected: Connected): void;
  /** Every event, Connected and Heartbeat among them, in order. */
  onEvent(event: SessionEvent): void;
}

/** The device a client connects as. */
export interface DeviceOptions {
  /** Stable id of the device, `[A-Za-z0-9_-]{8,64}`. */
  readonly endpointId: string;
  readonly device: DeviceType;
  /** `name/1.2.3`. */
  readonly clientVersion: string;
}

/** The one stream of a client: opens it, keeps it open, comes back with jitter. */
export interface Connection {
  readonly state: ReadableStore<ConnectionState>;
  /** Begins; does nothing when it runs. */
  start(): void;
  /** Ends the stream on purpose and tells the server. */
  stop(): Promise<void>;
  /** Tries at once instead of waiting (the network is back, the page is visible again). */
  wake(): void;
  /**
   * Changes the watch list; remembered over reconnects. Resolves when the stream has confirmed it, at once while there
   * is none; what is refused is not remembered.
   */
  watch(add: readonly string[], remove?: readonly string[]): Promise<void>;
  /** Tells what the person does; remembered over reconnects. */
  reportActivity(state: MachineState): Promise<void>;
  /** Forgets the watch list: somebody else has signed in. */
  forget(): void;
}
