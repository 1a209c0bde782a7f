import type { Clock, Module, Timer } from '@parley/runtime';
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
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(deps: ForgetRefusalsDeps) {
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
    this.#timer = this.#deps.clock.timer(EVERY_MS, () => {
      this.#running = this.#turn().then(() => this.#schedule());
    });
  }

  async #turn(): Promise<void> {
    const { time, refusals, telemetry } = this.#deps;
    try {
      const before = time.nowMs() - MARGIN_MS;
      for (let more = true; more && !this.#stopped; ) more = (await refusals.forget(before, BATCH)) === BATCH;
    } catch (cause) {
      telemetry.refusalsKept(cause);
    }
  }
}
