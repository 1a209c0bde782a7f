import type { Clock, Timer } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { TimerWheel } from '../domain/timer-wheel.ts';
import type { SessionEvents } from '../events.ts';
import type { Frames } from '../ports/frames.ts';
import type { Hub } from './hub.ts';
import type { PresenceBoard } from './presence-board.ts';

interface PulseDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly hub: Hub;
  readonly board: PresenceBoard;
  readonly frames: Frames;
  readonly events: SessionEvents;
}

/** While there is no session, it beats once for so many steps of the wheel. */
const IDLE_STEPS = 4;

/** The one timer of all sessions: heartbeats, ends of tokens, slow readers, clean-up, counters. */
export function createPulse({ config, clock, wheel, hub, board, frames, events }: PulseDeps) {
  let timer: Timer | undefined;
  let origin = 0;

  function beat(): void {
    let frame: Uint8Array | undefined;
    const heartbeat = () => {
      frame ??= frames.heartbeat(clock.now());
      return frame;
    };
    wheel.advance(Math.floor((clock.monotonic() - origin) / config.tickMs), slot => hub.visit(slot, heartbeat));
    hub.sweep();
    board.sweep();
    const { watches, views } = board.sizes;
    events.sizes({ sessions: hub.count, watches, views });
    events.settle();
    arm();
  }

  function arm(): void {
    const stepMs = config.tickMs * (hub.count === 0 ? IDLE_STEPS : 1);
    const leftMs = stepMs - ((clock.monotonic() - origin) % stepMs);
    // timers fire up to a millisecond early; without this there would be two for each step
    timer = clock.timer(leftMs < 2 ? leftMs + stepMs : leftMs, beat);
  }

  return {
    start() {
      origin = clock.monotonic() - wheel.tick * config.tickMs;
      arm();
    },
    stop() {
      timer?.cancel();
      events.settle();
    },
  };
}
