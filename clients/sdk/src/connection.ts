import { type Client, Code } from '@connectrpc/connect';
import type { MachineState } from '@parley/contracts/presence/v1/presence';
import { type Connected, SessionEndReason, type SessionService } from '@parley/contracts/session/v1/session';
import { closedReason } from './abort.ts';
import { createCommands } from './commands.ts';
import type { Connection, ConnectionEvents, ConnectionState, DeviceOptions } from './connection-types.ts';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';
import { createStore } from './store.ts';
import type { Tokens } from './tokens.ts';
import { startWatchdog } from './watchdog.ts';

/** How one stream ended. */
interface StreamOutcome {
  readonly opened: boolean;
  readonly ended?: 'signed-out' | 'taken-over' | 'closed';
  readonly reconnectAfterMs?: number;
  readonly error?: Error;
}

/** The stream that is open now. */
interface OpenStream {
  readonly sessionId: string;
  readonly signal: AbortSignal;
  /** The access token it stands on. */
  token: string;
}

/** People one session may watch. */
const MOST_WATCHED = 1_000;
/** A stream that lived this long was a good one: the next pause begins small again. */
const GOOD_STREAM_MS = 10_000;
/** Refusals that waiting does not change. */
const FINAL = new Set([
  Code.PermissionDenied,
  Code.InvalidArgument,
  Code.Unimplemented,
  Code.FailedPrecondition,
  Code.ResourceExhausted,
]);

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
  const commands = createCommands(env);
  const watched = new Set<string>();
  let activity = initialActivity;
  let running: AbortController | undefined;
  let finished: Promise<void> = Promise.resolve();
  let nap: AbortController | undefined;
  let current: OpenStream | undefined;

  /** It will not try again by itself, and can be started anew. */
  function end(signal: AbortSignal, ended: Omit<ConnectionState & { phase: 'ended' }, 'phase'>): void {
    if (running?.signal === signal) running = undefined;
    state.set({ phase: 'ended', ...ended });
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      state.set({ phase: 'connecting', attempt });
      const began = env.now();
      const outcome = await oneStream(signal);
      if (signal.aborted) break;
      if (outcome.ended !== undefined) return end(signal, { reason: outcome.ended });
      const error =
        outcome.error instanceof ParleyClientError
          ? outcome.error
          : new ParleyClientError('client.network', Code.Unavailable, 'the stream ended', { cause: outcome.error });
      if (error.code === 'client.signed_out') return end(signal, { reason: 'signed-out', error });
      if (!error.retryable && FINAL.has(error.status)) return end(signal, { reason: 'refused', error });
      if (outcome.opened && env.now() - began >= GOOD_STREAM_MS) attempt = 0;
      const wait = Math.max(outcome.reconnectAfterMs ?? backoff(env, attempt), error.retryAfterMs ?? 0);
      state.set({ phase: 'waiting', retryAtMs: env.now() + wait, error });
      nap = new AbortController();
      await env.sleep(wait, AbortSignal.any([signal, nap.signal])).catch(() => undefined);
    }
    end(signal, { reason: 'closed' });
  }

  async function oneStream(outer: AbortSignal): Promise<StreamOutcome> {
    const stream = new AbortController();
    const signal = AbortSignal.any([outer, stream.signal]);
    const watchdog = startWatchdog(env, stream);
    let opened = false;
    let token: string | undefined;
    try {
      token = await tokens.access(signal);
      const request = { ...device, machineState: activity, watchPersonIds: [...watched] };
      for await (const event of session.connect(request, { signal, timeoutMs: 0 })) {
        watchdog.heard();
        const { event: body } = event;
        if (body.case === 'connected') {
          opened = true;
          watchdog.expectEvery(body.value.heartbeatMs);
          current = { sessionId: body.value.sessionId, signal, token };
          welcome(current, body.value, request);
        } else if (body.case === 'commandResult') commands.settle(body.value);
        events.onEvent(event);
        if (body.case === 'reconnect') return { opened, reconnectAfterMs: body.value.afterMs };
        if (body.case === 'sessionEnded')
          return { opened, ...(await endOf(body.value.reason, current?.token ?? token)) };
      }
      return { opened };
    } catch (error) {
      if (stream.signal.aborted) return { opened, error: stream.signal.reason as Error };
      const failure = toClientError(error, outer);
      const refused = failure instanceof ParleyClientError && failure.status === Code.Unauthenticated;
      if (!refused || failure.code === 'client.signed_out' || token === undefined) return { opened, error: failure };
      return { opened, error: (await anotherToken(token)) ?? failure };
    } finally {
      watchdog.stop();
      stream.abort(closedReason());
      if (current?.signal === signal) current = undefined;
    }
  }

  /** Gets another token than one the server does not take, whatever our clock says. Resolves with the problem, if any. */
  const anotherToken = (token: string): Promise<Error | undefined> =>
    tokens.renewed(token).then(
      () => undefined,
      (error: unknown) => toClientError(error),
    );

  /** What to do after the server said why it ends the stream. */
  async function endOf(reason: SessionEndReason, token: string): Promise<Pick<StreamOutcome, 'ended' | 'error'>> {
    switch (reason) {
      case SessionEndReason.TAKEN_OVER:
        return { ended: 'taken-over' };
      case SessionEndReason.SIGNED_OUT: {
        // somebody who shares the tokens may have signed in anew, or changed the password
        const problem = await anotherToken(token);
        return problem ? { error: problem } : {};
      }
      case SessionEndReason.DISCONNECTED:
        return { ended: 'closed' };
      default:
        return {}; // token expired, shutdown, too slow, reasons of later versions: come back
    }
  }

  /** The stream is open. */
  function welcome(
    stream: OpenStream,
    connected: Connected,
    asked: { readonly machineState: MachineState; readonly watchPersonIds: readonly string[] },
  ): void {
    const { sessionId, serverVersion, recommendedClientVersion } = connected;
    state.set({
      phase: 'online',
      sessionId,
      serverVersion,
      upgradeAdvised: olderThan(device.clientVersion, recommendedClientVersion),
      clockAheadMs: env.now() - Number(connected.serverTimeMs),
    });
    void keepRenewed(stream).catch(() => undefined);
    events.onConnected(connected);
    // what changed while the stream was being opened
    const before = new Set(asked.watchPersonIds);
    const added = [...watched].filter(id => !before.has(id));
    const removed = [...before].filter(id => !watched.has(id));
    if (added.length + removed.length > 0) void sendWatch(stream, added, removed).catch(() => undefined);
    if (activity !== asked.machineState) void sendActivity(stream, activity).catch(() => undefined);
  }

  async function keepRenewed(stream: OpenStream): Promise<void> {
    const { sessionId, signal } = stream;
    for (let failures = 0; !signal.aborted; ) {
      const waitMs = failures > 0 ? backoff(env, failures, 500, 5_000) : await tokens.renewIn(stream.token);
      await env.sleep(Math.max(1_000, waitMs), signal);
      try {
        const token = await tokens.access(signal);
        if (token === stream.token) {
          failures++; // nobody gives a new one just now
          continue;
        }
        await commands.run(commandId => session.renew({ sessionId, commandId }, { signal }), signal);
        stream.token = token;
        failures = 0;
      } catch {
        failures++; // at worst the server ends the stream and another is opened
      }
    }
  }

  const sendActivity = ({ sessionId, signal }: OpenStream, machineState: MachineState) =>
    commands.run(commandId => session.reportActivity({ sessionId, commandId, machineState }, { signal }), signal);

  async function sendWatch({ sessionId, signal }: OpenStream, add: readonly string[], remove: readonly string[]) {
    const lists = { addPersonIds: [...add], removePersonIds: [...remove] };
    try {
      await commands.run(commandId => session.watch({ sessionId, commandId, ...lists }, { signal }), signal);
    } catch (error) {
      if (signal.aborted) return; // the next stream takes the whole list along
      if (error instanceof ParleyClientError && !error.retryable) for (const id of add) watched.delete(id);
      throw error;
    }
  }

  return {
    state,
    start() {
      if (running && !running.signal.aborted) return;
      const mine = new AbortController();
      running = mine;
      finished = finished.then(() => run(mine.signal));
    },
    async stop() {
      const sessionId = current?.sessionId;
      if (sessionId)
        await session.disconnect({ sessionId, commandId: env.uuid() }, { timeoutMs: 2_000 }).catch(() => undefined);
      running?.abort(closedReason());
      await finished;
    },
    wake: () => nap?.abort(),
    async watch(add, remove = []) {
      const gone = [...new Set(remove)].filter(id => watched.has(id));
      const fresh = [...new Set(add)].filter(id => !watched.has(id));
      const most = String(MOST_WATCHED);
      if (watched.size - gone.length + fresh.length > MOST_WATCHED)
        throw new ParleyClientError(
          'session.too_many_watches',
          Code.ResourceExhausted,
          `a session watches at most ${most} people`,
          { field: 'add_person_ids', params: { limit: most } },
        );
      for (const id of gone) watched.delete(id);
      for (const id of fresh) watched.add(id);
      if (current && fresh.length + gone.length > 0) await sendWatch(current, fresh, gone);
    },
    async reportActivity(next) {
      activity = next;
      const stream = current;
      if (!stream) return;
      await sendActivity(stream, next).catch((error: unknown) => {
        if (!stream.signal.aborted) throw error; // the next stream tells it
      });
    },
    forget: () => watched.clear(),
  };
}

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
