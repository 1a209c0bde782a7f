import { type Clock, createLoop, type HealthReport, type Loop, type Module } from '@parley/runtime';
import type { ImConfig } from '../config.ts';
import { estimateOffset, roundTrip, type TimeSample } from '../domain/store-time.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { StoreTimeSource } from '../ports/event-store.ts';

const KEPT = 8;
const FIRST = 3;
const RETRY_MS = 1_000;

type Settings = Pick<ImConfig, 'clockSampleMs' | 'clockMaxRoundTripMs' | 'clockStaleMs'>;

export interface StoreClockDeps {
  readonly clock: Clock;
  readonly source: StoreTimeSource;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
}

/** The store's time without asking it: our monotonic clock and an offset that is measured now and then. */
export class StoreClock implements Module {
  readonly name = 'im.store-clock';
  readonly #deps: StoreClockDeps;
  #samples: TimeSample[] = [];
  #offsetMs = 0;
  #measuredAt: number | undefined;
  readonly #loop: Loop;

  constructor(deps: StoreClockDeps) {
    this.#deps = deps;
    const { clock, settings } = deps;
    const everyMs = () => (this.#known() ? settings.clockSampleMs : Math.min(settings.clockSampleMs, RETRY_MS));
    this.#loop = createLoop({ clock, everyMs, turn: () => this.#measure() });
  }

  async start(): Promise<void> {
    const { clockSampleMs } = this.#deps.settings;
    this.#loop.start(clockSampleMs);
    for (let i = 0; i < FIRST; i++) if (!(await this.#measure())) break;
    if (!this.#known()) this.#loop.kick(Math.min(clockSampleMs, RETRY_MS));
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Milliseconds since 1970-01-01 UTC. Throws `im.clock_unmeasured` when it would be a guess. */
  nowMs(): number {
    if (!this.#known()) throw imErrors('im.clock_unmeasured', { retryAfterMs: RETRY_MS });
    return Math.floor(this.#deps.clock.monotonic() + this.#offsetMs);
  }

  health(): HealthReport {
    return this.#known() ? { ok: true } : { ok: false, detail: "the store's time could not be measured" };
  }

  #known(): boolean {
    const { clock, settings } = this.#deps;
    return this.#measuredAt !== undefined && clock.monotonic() - this.#measuredAt <= settings.clockStaleMs;
  }

  async #measure(): Promise<boolean> {
    const { clock, source, settings, telemetry } = this.#deps;
    const sentAt = clock.monotonic();
    try {
      const storeMs = await source.now();
      const sample = { sentAt, receivedAt: clock.monotonic(), storeMs };
      if (roundTrip(sample) > settings.clockMaxRoundTripMs) throw new Error('the round trip took too long');
      this.#samples = [...this.#samples, sample].slice(-KEPT);
      const estimate = estimateOffset(this.#samples);
      if (!estimate) return false;
      this.#offsetMs = estimate.offsetMs;
      this.#measuredAt = sample.receivedAt;
      telemetry.clockMeasured(estimate.offsetMs);
      return true;
    } catch (cause) {
      telemetry.clockFailed(cause);
      return false;
    }
  }
}
