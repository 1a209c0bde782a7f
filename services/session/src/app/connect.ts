import { type CallContext, type ErrorKind, ParleyError } from '@parley/rpc';
import type { Clock, Ids } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { ClientVersion } from '../domain/client-version.ts';
import type { DeviceKind, MachineState } from '../domain/commands.ts';
import type { EndReason } from '../domain/end-reason.ts';
import { sessionErrors } from '../errors.ts';
import type { SessionEvents } from '../events.ts';
import type { Endpoints } from '../ports/endpoints.ts';
import type { Frames, Welcome } from '../ports/frames.ts';
import type { Hints } from '../ports/hints.ts';
import type { Outlet } from '../ports/outlet.ts';
import type { Admission } from './admission.ts';
import type { EndpointCloser } from './endpoint-closer.ts';
import type { ExecuteCommand } from './execute-command.ts';
import type { FlushGate } from './flush-gate.ts';
import type { Hub } from './hub.ts';
import type { PresenceBoard } from './presence-board.ts';
import type { Resolver } from './resolver.ts';
import type { Session, SessionFacts } from './session.ts';

/** A device that wants a stream. */
export interface ConnectRequest {
  readonly personId: string;
  readonly signInId: string;
  readonly tokenExpiresMs: number;
  readonly endpointId: string;
  readonly device: DeviceKind;
  readonly machineState: MachineState;
  /** As the client wrote it, and as it was understood. */
  readonly clientVersion: string;
  readonly client: ClientVersion | undefined;
  readonly watch: readonly string[];
}

interface ConnectDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'opaque' | 'uuid'>;
  readonly pod: string;
  readonly admit: Admission;
  readonly hub: Hub;
  readonly board: PresenceBoard;
  readonly resolver: Resolver;
  readonly gate: FlushGate;
  readonly hints: Hints;
  readonly frames: Frames;
  readonly endpoints: Endpoints;
  readonly closer: EndpointCloser;
  readonly execute: ExecuteCommand;
  readonly events: SessionEvents;
  /** +1 and -1 around the time in which a stream is being opened. */
  readonly opening: (change: 1 | -1) => void;
  readonly stopping: () => boolean;
  /** Presence says that this pod has no lease. */
  readonly leaseLost: () => void;
}

/** Opens a stream; resolves when it has ended. */
export type Connect = (request: ConnectRequest, call: CallContext, outlet: Outlet) => Promise<EndReason>;

/** Kinds of failure after which presence may have the device or not. */
const UNSURE: ReadonlySet<ErrorKind> = new Set(['unknown', 'unavailable', 'deadline', 'cancelled', 'internal']);

export function createConnect(deps: ConnectDeps): Connect {
  const { board, closer, config, clock, endpoints, events, frames, gate, hints, hub, ids } = deps;

  /** Takes the device at presence, away from the session that had it. */
  async function takeEndpoint(request: ConnectRequest, call: CallContext): Promise<SessionFacts> {
    const { personId, signInId, endpointId, device, machineState, tokenExpiresMs } = request;
    const [sessionId, connectionId] = [ids.opaque(), ids.opaque()];
    const endpoint = { personId, endpointId, connectionId };
    try {
      const { pod } = deps;
      const { replacedSessionId } = await endpoints.open({ ...endpoint, sessionId, pod, device, machineState }, call);
      if (replacedSessionId && replacedSessionId !== sessionId) {
        const action = { kind: 'taken_over', connectionId } as const;
        const command = { commandId: ids.uuid(), personId, signInId, tokenExpiresMs, action };
        hints.publishCommand(replacedSessionId, command, call.traceparent);
      }
      if (call.signal.aborted) throw sessionErrors('session.client_gone');
      if (deps.stopping()) throw sessionErrors('session.shutting_down', { retryAfterMs: config.connectRetrySpreadMs });
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'presence.no_lease') {
        deps.leaseLost();
        throw sessionErrors('session.not_ready', { retryAfterMs: 1_000, cause: error });
      }
      if (error instanceof ParleyError && error.code === 'presence.account_disabled')
        throw sessionErrors('session.account_disabled', { cause: error });
      const ours = error instanceof ParleyError && error.code.startsWith('session.');
      if (ours || !(error instanceof ParleyError) || UNSURE.has(error.kind)) closer.close(endpoint, false);
      throw error;
    }
    return { ...endpoint, sessionId, signInId, expiresMs: tokenExpiresMs };
  }

  /** Lets the session in, and listens to all that concerns it before it is told that the stream is open. */
  function enter(facts: SessionFacts, call: CallContext, outlet: Outlet): Entered {
    const session = hub.enter(facts, outlet);
    board.open(session);
    session.stopCommands = hints.onCommand(session.sessionId, command => deps.execute(session, command));
    const closed = new Promise<EndReason>(resolve => {
      session.onClosed = resolve;
    });
    // Not at once: the signal may be aborted in the middle of a write to this very session.
    const gone = () => queueMicrotask(() => hub.end(session, 'client_gone'));
    call.signal.addEventListener('abort', gone, { once: true });
    if (call.signal.aborted) gone();
    return { session, closed };
  }

  function begin(session: Session, request: ConnectRequest, requestId: string): void {
    if (session.state !== 'opening') return;
    hub.goLive(session, frames.connected(welcome(session)));
    const fresh = board.watch(session, request.watch, [], config.maxWatches);
    if (fresh) deps.resolver.request(request.personId, fresh);
    // It was opening when the others were asked to go elsewhere.
    if (deps.stopping()) hub.reconnect('stopping', config.drainSpreadMs, [session]);
    events.opened(session, { requestId, client: request.clientVersion, watches: request.watch.length });
  }

  function welcome(session: Session): Welcome {
    return {
      sessionId: session.sessionId,
      connectionId: session.connectionId,
      heartbeatMs: config.heartbeatMs,
      expiresMs: session.expiresMs,
      serverVersion: config.serverVersion,
      minimumClientVersion: config.minimumClientVersion,
      recommendedClientVersion: config.recommendedClientVersion,
      serverTimeMs: clock.now(),
      syncIntervalMs: config.syncIntervalMs,
    };
  }

  /** Ends before the stream does, so that an open stream keeps neither request nor frame of this function alive. */
  async function open(request: ConnectRequest, call: CallContext, outlet: Outlet): Promise<Entered> {
    deps.opening(1);
    let facts: SessionFacts;
    try {
      facts = await takeEndpoint(request, call);
    } catch (error) {
      events.refused(error instanceof ParleyError ? error.code : 'rpc.internal', call.requestId);
      throw error;
    } finally {
      deps.opening(-1);
    }
    const entered = enter(facts, call, outlet);
    board.prepare(request.watch);
    await gate.pass();
    begin(entered.session, request, call.requestId);
    return entered;
  }

  return (request, call, outlet) => {
    const refusal = deps.admit(request.client, request.tokenExpiresMs);
    if (refusal) {
      events.refused(refusal.code, call.requestId);
      return Promise.reject(refusal);
    }
    return open(request, call, outlet).then(entered => entered.closed);
  };
}

/** Wrapped, so that waiting for the opening does not wait for the end. */
interface Entered {
  readonly session: Session;
  readonly closed: Promise<EndReason>;
}
