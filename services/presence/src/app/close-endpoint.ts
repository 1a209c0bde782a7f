import { closeEndpoint as close } from '../domain/endpoints.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';

export interface CloseEndpoint {
  readonly personId: string;
  readonly endpointId: string;
  readonly connectionId: string;
  readonly signedOut: boolean;
  readonly traceparent?: string | undefined;
}

/** Resolves with false when another connection holds the endpoint. */
export async function closeEndpoint(core: Core, command: CloseEndpoint): Promise<boolean> {
  const { personId, endpointId: id, connectionId, signedOut } = command;
  const { applied } = await change(core, personId, 'endpoint', command.traceparent, (doc, now) =>
    close(doc, { id, connectionId, signedOut }, now),
  );
  if (applied) core.events.endpointClosed(signedOut ? 'signed_out' : 'lost');
  return applied;
}
