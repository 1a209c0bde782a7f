import { PresenceInternalService } from '@parley/contracts/presence/v1/internal';
import { type ServiceImpl, service } from '@parley/rpc';
import { closeEndpoint } from '../app/close-endpoint.ts';
import type { Core } from '../app/core.ts';
import { getDigests } from '../app/get-digests.ts';
import { openEndpoint } from '../app/open-endpoint.ts';
import { renewLease } from '../app/renew-lease.ts';
import { resolve } from '../app/resolve.ts';
import { updateEndpoint } from '../app/update-endpoint.ts';
import { DEVICE, LEVEL, MACHINE, resolvedMessage } from './convert.ts';
import { atMost, endpointId, id, ids, inRange, podName, safe, word } from './validate.ts';

const MOST_PRESENTITIES = 1000;
const MOST_KEYS = 20_000;
const SHORTEST_LEASE_MS = 1000;
const LONGEST_LEASE_MS = 300_000;

/** What other services call. */
export function presenceInternalService(core: Core) {
  const impl: ServiceImpl<typeof PresenceInternalService> = {
    async openEndpoint(request, { traceparent, signal }) {
      const replacedSessionId = await openEndpoint(core, {
        personId: id(request.personId, 'person_id'),
        id: endpointId(request.endpointId, 'endpoint_id'),
        connectionId: id(request.connectionId, 'connection_id'),
        sessionId: id(request.sessionId, 'session_id'),
        pod: podName(request.pod, 'pod'),
        device: request.device === 0 ? 'computer' : word(DEVICE, request.device, 'device'),
        machine: request.machineState === 0 ? 'active' : word(MACHINE, request.machineState, 'machine_state'),
        traceparent,
        signal,
      });
      return { replacedSessionId };
    },
    async updateEndpoint(request, { traceparent }) {
      const applied = await updateEndpoint(core, {
        personId: id(request.personId, 'person_id'),
        endpointId: endpointId(request.endpointId, 'endpoint_id'),
        connectionId: id(request.connectionId, 'connection_id'),
        machine: word(MACHINE, request.machineState, 'machine_state'),
        traceparent,
      });
      return { applied };
    },
    async closeEndpoint(request, { traceparent }) {
      const applied = await closeEndpoint(core, {
        personId: id(request.personId, 'person_id'),
        endpointId: endpointId(request.endpointId, 'endpoint_id'),
        connectionId: id(request.connectionId, 'connection_id'),
        signedOut: request.signedOut,
        traceparent,
      });
      return { applied };
    },
    async renewLease(request) {
      const pod = podName(request.pod, 'pod');
      const { durationMs, release } = request;
      if (!release) inRange(durationMs, 'duration_ms', SHORTEST_LEASE_MS, LONGEST_LEASE_MS);
      return { expiresMs: BigInt(await renewLease(core, { pod, durationMs, release })) };
    },
    async resolve(request) {
      const presentities = ids(request.presentityIds, 'presentity_ids', MOST_PRESENTITIES);
      const resolved = await resolve(core, id(request.watcherId, 'watcher_id'), presentities);
      return { resolved: resolved.map(resolvedMessage) };
    },
    async getDigests(request) {
      atMost(request.keys, 'keys', MOST_KEYS);
      const held = request.keys.map((key, i) => ({
        personId: id(key.presentityId, `keys.${i}.presentity_id`),
        level: word(LEVEL, key.level, `keys.${i}.level`),
        rev: safe(key.revision, `keys.${i}.revision`),
        acl: safe(key.aclRevision, `keys.${i}.acl_revision`),
      }));
      return { changed: (await getDigests(core, held)).map(resolvedMessage) };
    },
  };
  return service(PresenceInternalService, impl);
}
