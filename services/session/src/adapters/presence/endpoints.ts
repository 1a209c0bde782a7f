import { PresenceInternalService } from '@parley/contracts/presence/v1/internal';
import { type Channel, createCallContext, createClient } from '@parley/rpc';
import type { Endpoints } from '../../ports/endpoints.ts';

/** Devices, kept by the presence service. */
export function createEndpoints(channel: Channel): Endpoints {
  const presence = createClient(PresenceInternalService, channel);
  return {
    async open(endpoint, call) {
      // On behalf of the caller, but not bound to his patience: an opening must have an outcome.
      const { principal, requestId, traceparent, token, peer } = call;
      const context = createCallContext({ principal, requestId, traceparent, token, peer });
      return await presence.openEndpoint(endpoint, { context });
    },
    update: async ({ personId, endpointId, connectionId }, machineState) =>
      (await presence.updateEndpoint({ personId, endpointId, connectionId, machineState })).applied,
    close: async ({ personId, endpointId, connectionId }, signedOut) => {
      await presence.closeEndpoint({ personId, endpointId, connectionId, signedOut });
    },
    renewLease: async (pod, durationMs, release) => {
      await presence.renewLease({ pod, durationMs, release });
    },
  };
}
