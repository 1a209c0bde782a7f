import { createLoop, type Loop } from '@parley/runtime';
import type { Core } from './core.ts';
import { sweep } from './sweep.ts';
import { sweepLeases } from './sweep-leases.ts';

/** Leases counted for the metrics. */
const MOST_LEASES = 1000;
/** Leases outlive their pods by a minute, and their devices by a grace: one sweep in so many looks at them. */
const LEASES_EVERY = 4;

/** Sweeps at regular intervals, one sweep at a time. */
export class Sweeper {
  readonly #core: Core;
  readonly #loop: Loop;
  #failing = false;
  #leasesFrom = 0;
  #leasesIn = 0;
  #countAt = 0;

  constructor(core: Core) {
    this.#core = core;
    const { clock, config } = core;
    this.#loop = createLoop({ clock, everyMs: config.sweepIntervalMs, turn: () => this.#run() });
  }

  start(): void {
    this.#settleLeases();
    this.#loop.start(0);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Something is due now: do not wait for the interval. */
  kick(): void {
    this.#leasesIn = 0;
    this.#loop.kick();
  }

  /** False while sweeps fail. */
  get working(): boolean {
    return !this.#failing;
  }

  async #run(): Promise<void> {
    const { clock, events } = this.#core;
    const started = clock.monotonic();
    try {
      if (started >= this.#leasesFrom && --this.#leasesIn <= 0) {
        this.#leasesIn = LEASES_EVERY;
        await sweepLeases(this.#core);
      }
      const changed = await sweep(this.#core);
      if (started >= this.#countAt) await this.#count(started);
      events.swept((clock.monotonic() - started) / 1000, changed);
      this.#failing = false;
    } catch (error) {
      events.sweepFailed(error, !this.#failing);
      this.#failing = true;
      this.#settleLeases();
    }
  }

  /** While presence could not take renewals, no pod can have kept its lease. */
  #settleLeases(): void {
    this.#leasesFrom = this.#core.clock.monotonic() + this.#core.config.leaseSettleMs;
  }

  async #count(now: number): Promise<void> {
    const { leases, people, events, config } = this.#core;
    this.#countAt = now + config.gaugeIntervalMs;
    const counts = await Promise.all((await leases.all(MOST_LEASES)).map(lease => people.countOfPod(lease._id)));
    events.connected(counts.reduce((sum, count) => sum + count, 0));
  }
}
