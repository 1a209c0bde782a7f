import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
import type { Telemetry } from '../events.ts';
import type { RefusalStore } from '../ports/event-store.ts';
import type { StoreClock } from './store-clock.ts';

const EVERY_MS = 3_600_000;
const BATCH = 500;
/** Replicas do not agree about the time to the millisecond. */
const MARGIN_MS = 60_000;

export interface ForgetRefusalsDeps {
  readonly clock: Clock;
  readonly time: Pick<StoreClock, 'nowMs'>;
  readonly refusals: Pick<RefusalStore, 'forget'>;
  readonly telemetry: Telemetry;
}

/** Removes refusals once everything that was logged of them is too old to be completed. */
export class ForgetRefusals implements Module {
  readonly name = 'im.forget-refusals';
  readonly #deps: ForgetRefusalsDeps;
  readonly #loop: Loop;

  constructor(deps: ForgetRefusalsDeps) {
    this.#deps = deps;
    this.#loop = createLoop({ clock: deps.clock, everyMs: EVERY_MS, turn: signal => this.#turn(signal) });
  }

  async start(): Promise<void> {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { time, refusals, telemetry } = this.#deps;
    try {
      const before = time.nowMs() - MARGIN_MS;
      for (let more = true; more && !signal.aborted; ) more = (await refusals.forget(before, BATCH)) === BATCH;
    } catch (cause) {
      telemetry.refusalsKept(cause);
    }
  }
}
