import type { CallContext } from '@parley/rpc';
import type { DeviceKind, MachineState } from '../domain/commands.ts';

/** A device's connection. */
export interface Endpoint {
  readonly personId: string;
  readonly endpointId: string;
  readonly connectionId: string;
}

/** A device that connects. */
export interface NewEndpoint extends Endpoint {
  readonly sessionId: string;
  /** Incarnation of this pod. */
  readonly pod: string;
  readonly device: DeviceKind;
  readonly machineState: MachineState;
}

/** Where the devices of people are kept. */
export interface Endpoints {
  /** Resolves with the session that held the device before, or an empty string. */
  open(endpoint: NewEndpoint, call: CallContext): Promise<{ readonly replacedSessionId: string }>;
  /** Resolves with false when this connection no longer holds the device. */
  update(endpoint: Endpoint, machineState: MachineState): Promise<boolean>;
  close(endpoint: Endpoint, signedOut: boolean): Promise<void>;
  /** Says that this pod lives for another `durationMs`, or with `release` that it stops now. */
  renewLease(pod: string, durationMs: number, release: boolean): Promise<void>;
}
