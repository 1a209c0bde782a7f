import type { Clock } from '@parley/runtime';

/** Settings of {@link CircuitBreaker}. Times in milliseconds. */
export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Failures within ten seconds, and at least half of all calls, that open the circuit. Default 10. */
  readonly failures?: number;
  /** How long it stays open the first time; doubles with every trial that fails, up to ten times as long. Default 1,000. */
  readonly openMs?: number;
  /** Told when it opens and closes. */
  readonly onChange?: (open: boolean) => void;
}

const windowMs = 10_000;
const longest = 10;

/**
 * Keeps calls away from somebody who does not answer: closed, then open for a while, then one call is let through to
 * try. The window has two halves, so that counting costs two numbers.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #openMs: number;
  readonly #onChange: (open: boolean) => void;
  #halfBeganAt: number;
  #calls = 0;
  #failures = 0;
  #callsBefore = 0;
  #failuresBefore = 0;
  /** 0: closed. */
  #openedAt = 0;
  #openForMs = 0;
  /** The call that tries; 0: nobody does. */
  #trial = 0;
  #trials = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#clock = options.clock;
    this.#most = options.failures ?? 10;
    this.#openMs = options.openMs ?? 1000;
    this.#onChange = options.onChange ?? (() => {});
    this.#halfBeganAt = options.clock.monotonic();
  }

  get open(): boolean {
    return this.#openForMs > 0;
  }

  /** Milliseconds until a call may be made; 0: now. */
  get waitMs(): number {
    if (this.#openForMs === 0) return 0;
    const left = this.#openedAt + this.#openForMs - this.#clock.monotonic();
    // While somebody tries, others wait for what he finds.
    return left > 0 ? left : this.#trial !== 0 ? this.#openMs : 0;
  }

  /** Whether a call is under way that tries. */
  get trying(): boolean {
    return this.#trial !== 0;
  }

  /** Before a call, when `waitMs` is 0 or nobody tries. What it returns is given to one of the three methods below when the call ends. */
  begin(): number {
    if (this.#openForMs === 0) return 0;
    this.#trial = ++this.#trials;
    return this.#trial;
  }

  /** A call was answered, whatever the answer. */
  succeeded(): void {
    if (this.#openForMs > 0) return this.#close();
    this.#turn();
    this.#calls++;
  }

  /** Nobody answered a call. */
  failed(call: number): void {
    if (this.#openForMs > 0) {
      // A call that began before it opened says nothing new.
      if (call === 0 || call !== this.#trial) return;
      this.#openFor(Math.min(this.#openForMs * 2, this.#openMs * longest));
      return;
    }
    this.#turn();
    this.#calls++;
    this.#failures++;
    const failures = this.#failures + this.#failuresBefore;
    if (failures >= this.#most && failures * 2 >= this.#calls + this.#callsBefore) {
      this.#openFor(this.#openMs);
      this.#onChange(true);
    }
  }

  /** A call was given up before anybody could know. */
  abandoned(call: number): void {
    if (call === this.#trial) this.#trial = 0;
  }

  #openFor(ms: number): void {
    this.#openedAt = this.#clock.monotonic();
    this.#openForMs = ms;
    this.#trial = 0;
  }

  #close(): void {
    this.#openForMs = 0;
    this.#trial = 0;
    this.#calls = this.#failures = this.#callsBefore = this.#failuresBefore = 0;
    this.#halfBeganAt = this.#clock.monotonic();
    this.#onChange(false);
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    const passed = now - this.#halfBeganAt;
    if (passed < windowMs / 2) return;
    const old = passed >= windowMs;
    this.#callsBefore = old ? 0 : this.#calls;
    this.#failuresBefore = old ? 0 : this.#failures;
    this.#calls = this.#failures = 0;
    this.#halfBeganAt = now;
  }
}
