import { type Client, Code } from '@connectrpc/connect';
import type { DeviceType, MachineState } from '@parley/contracts/presence/v1/presence';
import {
  type Connected,
  SessionEndReason,
  type SessionEvent,
  type SessionService,
} from '@parley/contracts/session/v1/session';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';
import { createStore, type ReadableStore } from './store.ts';
import type { Tokens } from './tokens.ts';

/** How the stream stands. */
export type ConnectionState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'connecting'; readonly attempt: number }
  | {
      readonly phase: 'online';
      readonly sessionId: string;
      readonly serverVersion: string;
      readonly upgradeAdvised: boolean;
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
  /** Changes the watch list; remembered over reconnects. */
  watch(add: readonly string[], remove?: readonly string[]): Promise<void>;
  /** Tells what the person does; remembered over reconnects. */
  reportActivity(state: MachineState): Promise<void>;
}

/** A stream this long without any event, in heartbeats, is dead. */
const DEAD_AFTER_HEARTBEATS = 2.5;

/** See {@link Connection}. */
export function createConnection(
  session: Client<typeof SessionService>,
  tokens: Tokens,
  env: ClientEnvironment,
  device: DeviceOptions,
  initialActivity: MachineState,
  events: ConnectionEvents,
): Connection {
  const state = createStore<ConnectionState>({ phase: 'idle' });
  const watched = new Set<string>();
  let activity = initialActivity;
  let running: AbortController | undefined;
  let finished: Promise<void> = Promise.resolve();
  let nap: AbortController | undefined;
  let current: { readonly sessionId: string; readonly stream: AbortController } | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      state.set({ phase: 'connecting', attempt });
      let pause: number | undefined;
      const outcome = await oneStream(signal).catch(
        (error: unknown) => ({ opened: false, error: toClientError(error, signal) }) as StreamOutcome,
      );
      if (signal.aborted) break;
      if (outcome.opened) attempt = 0;
      if (outcome.ended !== undefined) return void state.set({ phase: 'ended', reason: outcome.ended });
      pause = outcome.reconnectAfterMs;
      const error =
        outcome.error instanceof ParleyClientError
          ? outcome.error
          : new ParleyClientError('client.network', Code.Unavailable, 'the stream ended');
      if (error.code === 'client.signed_out') return void state.set({ phase: 'ended', reason: 'signed-out', error });
      if (error.status === Code.Unauthenticated) await tokens.access().catch(() => undefined);
      else if (!error.retryable && TERMINAL.has(error.status))
        return void state.set({ phase: 'ended', reason: 'refused', error });
      const wait = Math.max(pause ?? backoff(env, attempt), error.retryAfterMs ?? 0);
      state.set({ phase: 'waiting', retryAtMs: env.now() + wait, error });
      nap = new AbortController();
      await env.sleep(wait, AbortSignal.any([signal, nap.signal])).catch(() => undefined);
    }
    state.set({ phase: 'ended', reason: 'closed' });
  }

  interface StreamOutcome {
    readonly opened: boolean;
    readonly ended?: 'signed-out' | 'taken-over' | 'closed';
    readonly reconnectAfterMs?: number;
    readonly error?: Error;
  }

  async function oneStream(signal: AbortSignal): Promise<StreamOutcome> {
    const stream = new AbortController();
    const both = AbortSignal.any([signal, stream.signal]);
    let opened = false;
    let heartbeatMs = 30_000;
    let lastHeard = env.now();
    const guard = watchdog(
      stream,
      () => env.now() - lastHeard > heartbeatMs * DEAD_AFTER_HEARTBEATS,
      () => heartbeatMs,
    );
    const accessToken = await tokens.access(signal);
    try {
      const request = {
        ...device,
        machineState: activity,
        watchPersonIds: [...watched],
      };
      for await (const event of session.connect(request, { signal: both, timeoutMs: 0 })) {
        lastHeard = env.now();
        const { event: body } = event;
        if (body.case === 'connected') {
          opened = true;
          heartbeatMs = body.value.heartbeatMs;
          current = { sessionId: body.value.sessionId, stream };
          state.set({
            phase: 'online',
            sessionId: body.value.sessionId,
            serverVersion: body.value.serverVersion,
            upgradeAdvised: olderThan(device.clientVersion, body.value.recommendedClientVersion),
          });
          void keepRenewed(body.value.sessionId, both).catch(() => undefined);
          events.onConnected(body.value);
          // what was asked for while the stream was being opened
          const missed = [...watched].filter(id => !request.watchPersonIds.includes(id));
          if (missed.length > 0) void sendWatch(body.value.sessionId, missed, []).catch(() => undefined);
        }
        events.onEvent(event);
        if (body.case === 'reconnect') return { opened, reconnectAfterMs: body.value.afterMs };
        if (body.case === 'sessionEnded') return endOf(body.value.reason, opened);
      }
      return { opened, reconnectAfterMs: backoff(env, 0) };
    } catch (error) {
      const failure = toClientError(error, signal);
      if (failure instanceof ParleyClientError && failure.code === 'rpc.token_expired')
        await tokens.renewed(accessToken);
      return { opened, error: failure };
    } finally {
      guard();
      stream.abort();
      if (current?.stream === stream) current = undefined;
    }
  }

  function endOf(reason: SessionEndReason, opened: boolean): StreamOutcome {
    switch (reason) {
      case SessionEndReason.TAKEN_OVER:
        return { opened, ended: 'taken-over' };
      case SessionEndReason.SIGNED_OUT:
        return { opened, ended: 'signed-out' };
      case SessionEndReason.DISCONNECTED:
        return { opened, ended: 'closed' };
      default:
        return { opened, reconnectAfterMs: backoff(env, 0) };
    }
  }

  /** Aborts `stream` when `dead()`; looks every half heartbeat. */
  function watchdog(stream: AbortController, dead: () => boolean, heartbeat: () => number): () => void {
    const off = new AbortController();
    void (async () => {
      while (!off.signal.aborted) {
        await env.sleep(heartbeat() / 2, off.signal);
        if (dead()) stream.abort(new ParleyClientError('client.stream_silent', Code.Unavailable, 'no heartbeat'));
      }
    })().catch(() => undefined);
    return () => off.abort();
  }

  async function keepRenewed(sessionId: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await env.sleep(Math.max(1_000, await tokens.renewIn()), signal);
      await tokens.access(signal);
      await session.renew({ sessionId, commandId: env.uuid() }, { signal });
    }
  }

  const sendWatch = (sessionId: string, add: readonly string[], remove: readonly string[]) =>
    session.watch({ sessionId, commandId: env.uuid(), addPersonIds: [...add], removePersonIds: [...remove] });

  return {
    state,
    start() {
      if (running && !running.signal.aborted) return;
      running = new AbortController();
      const { signal } = running;
      finished = finished.then(() => run(signal)).finally(() => running?.signal === signal && (running = undefined));
    },
    async stop() {
      const sessionId = current?.sessionId;
      if (sessionId)
        await session.disconnect({ sessionId, commandId: env.uuid() }, { timeoutMs: 2_000 }).catch(() => undefined);
      running?.abort(new DOMException('the client was closed', 'AbortError'));
      await finished;
    },
    wake: () => nap?.abort(),
    async watch(add, remove = []) {
      const fresh = add.filter(id => !watched.has(id));
      const gone = remove.filter(id => watched.has(id));
      for (const id of fresh) watched.add(id);
      for (const id of gone) watched.delete(id);
      if (current && fresh.length + gone.length > 0) await sendWatch(current.sessionId, fresh, gone);
    },
    async reportActivity(next) {
      activity = next;
      if (current)
        await session.reportActivity({ sessionId: current.sessionId, commandId: env.uuid(), machineState: next });
    },
  };
}

const TERMINAL = new Set([Code.PermissionDenied, Code.InvalidArgument, Code.Unimplemented, Code.FailedPrecondition]);

/** Whether the version in `name/1.2.3` is older than `1.2.3`. */
function olderThan(client: string, recommended: string): boolean {
  const numbers = (text: string) =>
    (text.split('/').at(-1) ?? '').split('.').map(part => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(client), numbers(recommended)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0);
  }
  return false;
}
