import type { MessageInitShape } from '@bufbuild/protobuf';
import type { OpenEndpointRequestSchema } from '@parley/contracts/presence/v1/internal';
import { DeviceType, MachineState } from '@parley/contracts/presence/v1/presence';
import type { Replica } from './world.ts';

export const POD = 'session-1';

/** Keeps a pod's endpoints alive; five minutes unless told otherwise. */
export const lease = (replica: Replica, pod = POD, durationMs = 300_000) =>
  replica.internal.renewLease({ pod, durationMs });

let connections = 0;

/** A device of somebody. */
export interface Device {
  readonly connectionId: string;
  readonly replacedSessionId: string;
  report(machineState: MachineState): Promise<boolean>;
  close(signedOut?: boolean): Promise<boolean>;
}

/** Connects a device: a computer in use, unless told otherwise. The pod needs a lease. */
export async function connect(
  replica: Replica,
  personId: string,
  endpointId: string,
  over: MessageInitShape<typeof OpenEndpointRequestSchema> = {},
): Promise<Device> {
  const n = ++connections;
  const connectionId = `connection-${n}`;
  const { replacedSessionId } = await replica.internal.openEndpoint({
    personId,
    endpointId,
    connectionId,
    sessionId: `session-of-${n}`,
    pod: POD,
    device: DeviceType.COMPUTER,
    machineState: MachineState.ACTIVE,
    ...over,
  });
  const key = { personId, endpointId, connectionId };
  return {
    connectionId,
    replacedSessionId,
    report: async machineState => (await replica.internal.updateEndpoint({ ...key, machineState })).applied,
    close: async (signedOut = false) => (await replica.internal.closeEndpoint({ ...key, signedOut })).applied,
  };
}
