import type { Clock, Timer } from '@parley/runtime';
import type { Store } from '@parley/store';
import type { PresenceEvents } from '../../events.ts';
import type { Time } from '../../ports/time.ts';

/** The store's time, followed by measuring its distance to this process's monotonic clock. */
export class StoreTime implements Time {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: PresenceEvents;
  readonly #everyMs: number;
  #offset: number | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(store: Store, clock: Clock, events: PresenceEvents, everyMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
    this.#everyMs = everyMs;
  }

  /** Measures for the first time; rejects when the store does not tell. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#measure();
    this.#again();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  get known(): boolean {
    return this.#offset !== undefined;
  }

  now(): number {
    if (this.#offset === undefined) throw new Error('the time of the store was not measured');
    return Math.floor(this.#clock.monotonic() + this.#offset);
  }

  async #measure(): Promise<void> {
    const before = this.#clock.monotonic();
    const stored = await this.#store.now();
    this.#offset = stored - (before + this.#clock.monotonic()) / 2;
  }

  #again(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.timer(this.#everyMs, () => {
      this.#measure()
        .catch((error: unknown) => this.#events.timeUnknown(error))
        .finally(() => this.#again());
    });
  }
}
