import type { Bus } from '@parley/bus';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Health, Ids, Logger, Metrics } from '@parley/runtime';
import { createBusHints } from './adapters/bus/hints.ts';
import { createSignIns } from './adapters/directory/sign-ins.ts';
import { createEndpoints } from './adapters/presence/endpoints.ts';
import { createPresenceReader } from './adapters/presence/presence-reader.ts';
import { createAdmission } from './app/admission.ts';
import { createConnect } from './app/connect.ts';
import { createContinuity } from './app/continuity.ts';
import { createDigestCheck } from './app/digest-check.ts';
import { drain } from './app/drain.ts';
import { createEndpointCloser } from './app/endpoint-closer.ts';
import { createExecuteCommand } from './app/execute-command.ts';
import { createFlushGate } from './app/flush-gate.ts';
import { createForwardCommand } from './app/forward-command.ts';
import { Hub } from './app/hub.ts';
import { createLease } from './app/lease.ts';
import { PresenceBoard } from './app/presence-board.ts';
import { createPulse } from './app/pulse.ts';
import { createResolver } from './app/resolver.ts';
import { createSignInWatch } from './app/sign-in-watch.ts';
import type { SessionConfig } from './config.ts';
import { consumeHints } from './consumers/hints.ts';
import { fateOf } from './domain/end-reason.ts';
import { TimerWheel } from './domain/timer-wheel.ts';
import { createSessionEvents } from './events.ts';
import { frames } from './rpc/frames.ts';
import { createSessionService } from './rpc/session-service.ts';

/** What the session service needs of its process. */
export interface SessionDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly bus: Bus;
  readonly channels: { readonly directory: Channel; readonly presence: Channel };
}

/** Streams to clients, and the commands that steer them. */
export function createSession(config: SessionConfig, deps: SessionDeps): ServiceModule {
  const { clock, ids } = deps;
  const pod = ids.opaque();
  const events = createSessionEvents(deps.logger, deps.metrics);
  const hints = createBusHints(deps.bus, events);
  const endpoints = createEndpoints(deps.channels.presence);
  const presence = createPresenceReader(deps.channels.presence);
  const signIns = createSignIns(deps.channels.directory);

  let state: 'new' | 'running' | 'stopping' = 'new';
  let opening = 0;
  const stopping = () => state === 'stopping';

  const wheel = new TimerWheel();
  const gate = createFlushGate(hints, events);
  const hub = new Hub({ config, hints, frames, events, wheel, clock, ids });
  const board = new PresenceBoard({ config, hints, frames, events, wheel, hub, gate });
  const resolver = createResolver({ config, clock, ids, presence, board, gate, events });
  const closer = createEndpointCloser({ config, clock, ids, endpoints, events });
  const digests = createDigestCheck({ config, clock, presence, board, gate, events });
  const continuity = createContinuity({ config, clock, hub, digests, events });
  const signInWatch = createSignInWatch({ config, clock, signIns, hub, events });
  const pulse = createPulse({ config, clock, wheel, hub, board, frames, events });
  const onLapsed = () => hub.reconnect('lease_lapsed', config.resyncSpreadMs, hub.all());
  const lease = createLease({ config, clock, endpoints, events, pod, onLapsed });

  board.onUnresolved((watcherId, personId) => resolver.request(watcherId, [personId]));
  hub.listen({
    left(session, reason) {
      board.close(session);
      const fate = fateOf(reason);
      if (fate !== 'none') closer.close(session, fate === 'sign_out');
    },
    drained: (session, wasSlow) => (wasSlow ? board.sendAll(session) : board.refill(session)),
  });

  const held = () => hub.count + opening;
  const admit = createAdmission({ config, clock, ids, held, leased: lease.live, stopping });
  const execute = createExecuteCommand({ config, hub, board, resolver, endpoints, frames, events });
  const forward = createForwardCommand({ config, clock, hints, events });
  const connect = createConnect({
    config,
    clock,
    ids,
    pod,
    admit,
    hub,
    board,
    resolver,
    gate,
    hints,
    frames,
    endpoints,
    closer,
    execute,
    events,
    stopping,
    leaseLost: lease.lost,
    opening: change => {
      opening += change;
    },
  });

  const undo: (() => void)[] = [];
  let stopped: Promise<void> | undefined;

  async function start(): Promise<void> {
    if (state !== 'new') return;
    state = 'running';
    const ready = () => {
      if (state !== 'running') return { ok: false, detail: 'session is stopping' };
      return lease.live() ? { ok: true } : { ok: false, detail: 'presence did not renew the lease on devices' };
    };
    undo.push(
      deps.health.register('session', ready),
      consumeHints(hints, { signInsChanged: signInWatch.changed, lost: continuity.lost }),
    );
    pulse.start();
    digests.start();
    signInWatch.start();
    await gate.pass();
    await lease.start();
  }

  /** The listeners must still be there: they would cut the streams without a word. */
  async function stop(): Promise<void> {
    const ran = state === 'running';
    state = 'stopping';
    if (!ran) return;
    await drain({ config, clock, hub, closer, lease });
    resolver.stop();
    digests.stop();
    signInWatch.stop();
    continuity.stop();
    pulse.stop();
    for (const step of undo.reverse()) step();
    await gate.pass();
  }

  return {
    name: 'session',
    services: [createSessionService({ connect, forward })],
    start,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
