import { type Opening, openEndpoint as open } from '../domain/endpoints.ts';
import { err } from '../errors.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';
import { refuseDisabled } from './refuse-disabled.ts';

export type OpenEndpoint = Opening & {
  readonly personId: string;
  readonly traceparent?: string | undefined;
  /** Aborted when the caller has given up. */
  readonly signal: AbortSignal;
};

/** Resolves with the session that has to be told it was taken over; empty when there is none. */
export async function openEndpoint(core: Core, command: OpenEndpoint): Promise<string> {
  const { personId, traceparent, signal, ...opening } = command;
  await refuseDisabled(core, personId);
  if (!(await core.liveLeases.has(opening.pod))) throw err('presence.no_lease', { field: 'pod' });
  const opened = await change(core, personId, 'endpoint', traceparent, (doc, now) => {
    // A caller who has given up closes the endpoint; opening it after that would leave it without anybody to close it.
    signal.throwIfAborted();
    const result = open(doc, opening, now, core.config.maxEndpoints);
    if ('refused' in result)
      throw err('presence.too_many_endpoints', { field: 'endpoint_id', params: { limit: core.config.maxEndpoints } });
    return result;
  });
  core.events.endpointOpened(opened.kind);
  return opened.replacedSessionId;
}
