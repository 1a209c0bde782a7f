import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
import type { Telemetry } from '../events.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { RelayResult } from './relay-pending.ts';

const COUNT_CAP = 10_000;

export interface RelayLoopDeps {
  readonly clock: Clock;
  readonly fraction: () => number;
  readonly events: Pick<EventStore, 'countPending'>;
  readonly relay: () => Promise<RelayResult>;
  readonly everyMs: number;
  readonly telemetry: Telemetry;
}

/** Relays what is pending, now and then; with jitter, so that replicas seldom meet. */
export class RelayLoop implements Module {
  readonly name = 'im.relay';
  readonly #deps: RelayLoopDeps;
  readonly #loop: Loop;

  constructor(deps: RelayLoopDeps) {
    this.#deps = deps;
    const { clock, everyMs, fraction } = deps;
    this.#loop = createLoop({
      clock,
      everyMs: () => Math.round(everyMs * (0.75 + fraction() / 2)),
      turn: signal => this.#turn(signal),
    });
  }

  async start(): Promise<void> {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { relay, events, telemetry } = this.#deps;
    try {
      for (let more = true; more && !signal.aborted; ) {
        const result = await relay();
        more = result.more;
        if (result.relayed > 0) telemetry.relayed(result.relayed);
      }
      telemetry.pending(await events.countPending(COUNT_CAP));
    } catch (cause) {
      telemetry.relayFailed(cause);
    }
  }
}
