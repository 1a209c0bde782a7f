/**
 * How often calls may be repeated: every tenth, and a few at once after a quiet time. Without it, repetitions multiply
 * the load of whoever is overloaded already. https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export class RetryBudget {
  readonly #most: number;
  readonly #perCall: number;
  #left: number;

  /** `most`: repetitions at once; `perCall`: what each first try adds, 0 to 1. */
  constructor(most = 20, perCall = 0.1) {
    this.#most = most;
    this.#perCall = perCall;
    this.#left = most;
  }

  /** A call is made for the first time. */
  earn(): void {
    this.#left = Math.min(this.#most, this.#left + this.#perCall);
  }

  /** Whether a call may be repeated now. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
