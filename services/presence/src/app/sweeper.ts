import { createLoop, type Loop } from '@parley/runtime';
import type { Core } from './core.ts';
import { sweep } from './sweep.ts';
import { sweepLeases } from './sweep-leases.ts';

/** Leases counted for the metrics. */
const MOST_LEASES = 1000;
/** Leases outlive their pods by a minute, and their devices by a grace: they are looked at so much less often. */
const LEASES_EVERY = 4;
/** While nobody is due, the sweep waits up to so many intervals: other replicas may know of somebody who is. */
const QUIET = 5;

/** Sweeps at regular intervals, less often while time alone changes nobody; one sweep at a time. */
export class Sweeper {
  readonly #core: Core;
  readonly #loop: Loop;
  #failing = false;
  #leasesFrom = 0;
  #leasesAt = 0;
  #waitMs: number;
  #countAt = 0;

  constructor(core: Core) {
    this.#core = core;
    const { clock, config } = core;
    this.#waitMs = config.sweepIntervalMs;
    this.#loop = createLoop({ clock, everyMs: () => this.#waitMs, turn: () => this.#run() });
  }

  start(): void {
    this.#settleLeases();
    this.#loop.start(0);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** A lease was given up: looks at once. */
  leaseEnded(): void {
    this.#leasesAt = 0;
    this.#loop.kick();
  }

  /** Time alone changes somebody in `ms`. */
  changesIn(ms: number): void {
    this.#loop.kick(Math.max(ms, this.#core.config.sweepIntervalMs));
  }

  /** False while sweeps fail. */
  get working(): boolean {
    return !this.#failing;
  }

  async #run(): Promise<void> {
    const { clock, events, config } = this.#core;
    const started = clock.monotonic();
    try {
      if (started >= Math.max(this.#leasesFrom, this.#leasesAt)) {
        this.#leasesAt = started + LEASES_EVERY * config.sweepIntervalMs;
        await sweepLeases(this.#core);
      }
      const changed = await sweep(this.#core);
      if (started >= this.#countAt) await this.#count(started);
      this.#waitMs = changed > 0 ? config.sweepIntervalMs : await this.#quietMs();
      events.swept((clock.monotonic() - started) / 1000, changed);
      this.#failing = false;
    } catch (error) {
      this.#waitMs = config.sweepIntervalMs;
      events.sweepFailed(error, !this.#failing);
      this.#failing = true;
      this.#settleLeases();
    }
  }

  /** Until somebody is due, within limits. */
  async #quietMs(): Promise<number> {
    const { people, time, config } = this.#core;
    const nextAt = await people.nextChange();
    const leftMs = nextAt === undefined ? Number.POSITIVE_INFINITY : nextAt - time.now();
    return Math.min(QUIET * config.sweepIntervalMs, Math.max(config.sweepIntervalMs, leftMs));
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
