import type { Clock, Module, Timer } from '@parley/runtime';
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
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(deps: RelayLoopDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, everyMs, fraction } = this.#deps;
    this.#timer = clock.timer(Math.round(everyMs * (0.75 + fraction() / 2)), () => {
      this.#running = this.#turn().then(() => this.#schedule());
    });
  }

  async #turn(): Promise<void> {
    const { relay, events, telemetry } = this.#deps;
    try {
      for (let more = true; more && !this.#stopped; ) {
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
