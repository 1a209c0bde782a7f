import type { Clock, Timer } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { SessionEvents } from '../events.ts';
import type { HintLoss } from '../ports/hints.ts';
import type { DigestCheck } from './digest-check.ts';
import type { Hub } from './hub.ts';

interface ContinuityDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly digests: DigestCheck;
  readonly events: SessionEvents;
}

/** What is done when hints may have been lost: clients synchronise, and views are compared with presence. */
export function createContinuity({ config, clock, hub, digests, events }: ContinuityDeps) {
  let lastSlow = Number.NEGATIVE_INFINITY;
  let pending: Timer | undefined;

  function recover(): void {
    hub.resync();
    void digests.run();
  }

  /** A subscription that cannot keep up tells so again and again: one recovery covers what came before it. */
  function slow(): void {
    if (pending) return;
    const wait = lastSlow + config.resyncMinIntervalMs - clock.monotonic();
    const act = () => {
      pending = undefined;
      lastSlow = clock.monotonic();
      recover();
    };
    if (wait > 0) pending = clock.timer(wait, act);
    else act();
  }

  return {
    lost(loss: HintLoss) {
      events.hintsLost(loss);
      if (loss === 'slow-consumer') slow();
      // Without a connection presence cannot be compared reliably; that waits until it is back.
      else if (loss === 'disconnected') hub.resync();
      else recover();
    },
    stop: () => pending?.cancel(),
  };
}
