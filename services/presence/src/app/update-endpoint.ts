import { reportActivity } from '../domain/endpoints.ts';
import type { MachineState } from '../domain/person.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';

export interface UpdateEndpoint {
  readonly personId: string;
  readonly endpointId: string;
  readonly connectionId: string;
  readonly machine: MachineState;
  readonly traceparent?: string | undefined;
}

/** Resolves with false when another connection holds the endpoint. */
export async function updateEndpoint(core: Core, command: UpdateEndpoint): Promise<boolean> {
  const { personId, endpointId: id, connectionId, machine } = command;
  const { applied } = await change(core, personId, 'endpoint', command.traceparent, (doc, now) =>
    reportActivity(doc, { id, connectionId, machine }, now, core.policy.timing),
  );
  return applied;
}
