import type { Clock } from '@parley/runtime';
import { createMetrics, systemClock, systemIds } from '@parley/runtime';
import { createFlushGate } from '../app/flush-gate.ts';
import { Hub } from '../app/hub.ts';
import { PresenceBoard } from '../app/presence-board.ts';
import type { Session } from '../app/session.ts';
import { type SessionConfig, sessionConfigSchema } from '../config.ts';
import { COLLEAGUES } from '../domain/level.ts';
import { TimerWheel } from '../domain/timer-wheel.ts';
import { createSessionEvents } from '../events.ts';
import type { Hints, PresenceChange } from '../ports/hints.ts';
import type { Outlet } from '../ports/outlet.ts';
import { frames } from '../rpc/frames.ts';
import { quiet } from './harness.ts';

/** Takes everything at once and counts it. */
export class CountingOutlet implements Outlet {
  events = 0;
  readonly queuedBytes = 0;
  sendEncoded(): void {
    this.events++;
  }
  onDrain(): void {}
}

/** Hub and board alone, with plain stand-ins for the bus, to measure them. */
export function createHubWorld(clock: Clock = systemClock) {
  const config: SessionConfig = sessionConfigSchema.parse({ maxSessions: 1_000_000 });
  const presence = new Map<string, (change: PresenceChange) => void>();
  const hints: Hints = {
    publishCommand: () => undefined,
    onCommand: () => () => undefined,
    onIm: () => () => undefined,
    onPresence(personId, level, handler) {
      presence.set(`${personId} ${level}`, handler);
      return () => void presence.delete(`${personId} ${level}`);
    },
    onSignInsChanged: () => () => undefined,
    onLoss: () => () => undefined,
    flush: () => Promise.resolve(),
    connected: true,
  };
  const events = createSessionEvents(quiet, createMetrics({ defaults: false }));
  const wheel = new TimerWheel();
  const gate = createFlushGate(hints, events);
  const hub = new Hub({ config, hints, frames, events, wheel, clock, ids: systemIds });
  const board = new PresenceBoard({ config, hints, frames, events, wheel, hub, gate });
  hub.listen({ left: session => board.close(session), drained: () => undefined });

  return {
    hub,
    board,
    /** A live session with everything it watches resolved. */
    add(n: number, watched: readonly string[], outlet: Outlet): Session {
      const session = hub.enter(
        {
          sessionId: systemIds.opaque(),
          connectionId: systemIds.opaque(),
          personId: `person-${n}`,
          signInId: systemIds.opaque(),
          endpointId: systemIds.opaque(),
          expiresMs: clock.now() + 3_600_000,
        },
        outlet,
      );
      board.open(session);
      hub.goLive(session, frames.heartbeat(0));
      board.watch(session, watched, [], config.maxWatches);
      const answer = { level: COLLEAGUES, revision: 1, aclRevision: 1, view: new Uint8Array(60) } as const;
      board.resolved(
        session.personId,
        watched.map(personId => ({ ...answer, personId })),
      );
      return session;
    },
    /** A change as it comes from the bus. */
    change(personId: string, revision: number, view: Uint8Array): void {
      presence.get(`${personId} ${COLLEAGUES}`)?.({ revision, aclRevision: 1, view });
    },
    /** Lets the linger time pass, after which only what is needed is left. */
    rest(): void {
      for (let turn = 0; turn < 3; turn++) {
        wheel.advance(wheel.tick + config.lingerMs / config.tickMs + 1, () => undefined);
        board.sweep();
      }
    },
  };
}
