import { type Clock, createLoop, type Loop } from '@parley/runtime';
import type { Store } from '@parley/store';
import type { PresenceEvents } from '../../events.ts';
import type { Time } from '../../ports/time.ts';

/** The store's time, followed by measuring its distance to this process's monotonic clock. */
export class StoreTime implements Time {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #loop: Loop;
  #offset: number | undefined;

  constructor(store: Store, clock: Clock, events: PresenceEvents, everyMs: number) {
    this.#store = store;
    this.#clock = clock;
    const turn = () => this.#measure().catch((error: unknown) => events.timeUnknown(error));
    this.#loop = createLoop({ clock, everyMs, turn });
  }

  /** Measures for the first time; rejects when the store does not tell. */
  async start(): Promise<void> {
    this.#loop.start();
    await this.#measure().catch(async (error: unknown) => {
      await this.#loop.stop();
      throw error;
    });
  }

  stop(): void {
    void this.#loop.stop();
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
}
