import type { Clock } from '@parley/runtime';

/**
 * How often calls may be repeated: every tenth, two in a second at the least, and a few at once after a quiet time.
 * Without it, repetitions multiply the load of whoever is overloaded already; without those that time alone brings, a
 * channel that is seldom used would have none left by its second outage.
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #perCall: number;
  readonly #perSecond: number;
  #left: number;
  #at: number;

  /** `most`: repetitions at once; `perCall`: what each first try adds, 0 to 1; `perSecond`: what time adds. */
  constructor(clock: Clock, { most = 20, perCall = 0.1, perSecond = 2 } = {}) {
    this.#clock = clock;
    this.#most = most;
    this.#perCall = perCall;
    this.#perSecond = perSecond;
    this.#left = most;
    this.#at = clock.monotonic();
  }

  /** A call is made for the first time. */
  earn(): void {
    this.#left = Math.min(this.#most, this.#left + this.#perCall);
  }

  /** Whether a call may be repeated now. */
  spend(): boolean {
    const now = this.#clock.monotonic();
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
