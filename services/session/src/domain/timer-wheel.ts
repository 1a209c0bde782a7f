const NIL = -1;

/**
 * One wheel for all sessions: each slot has at most one due time, in ticks. What lies beyond a turn of the wheel is
 * visited early, and the visitor says when to come again.
 */
export class TimerWheel {
  #buckets: Int32Array;
  #next: Int32Array;
  #previous: Int32Array;
  #bucketOf: Int32Array;
  #tick = 0;

  constructor(turn = 256, capacity = 64) {
    this.#buckets = new Int32Array(turn).fill(NIL);
    this.#next = new Int32Array(capacity).fill(NIL);
    this.#previous = new Int32Array(capacity).fill(NIL);
    this.#bucketOf = new Int32Array(capacity).fill(NIL);
  }

  /** Ticks passed. */
  get tick(): number {
    return this.#tick;
  }

  /** Visits `slot` at tick `due` (the next one at the earliest), instead of when it would have been. */
  schedule(slot: number, due: number): void {
    this.cancel(slot);
    if (slot >= this.#next.length) this.#grow(slot + 1);
    const turn = this.#buckets.length;
    const wait = Math.min(Math.max(Math.ceil(due) - this.#tick, 1), turn - 1);
    const bucket = (this.#tick + wait) % turn;
    const head = this.#buckets[bucket] as number;
    this.#next[slot] = head;
    this.#previous[slot] = NIL;
    if (head !== NIL) this.#previous[head] = slot;
    this.#buckets[bucket] = slot;
    this.#bucketOf[slot] = bucket;
  }

  cancel(slot: number): void {
    const bucket = this.#bucketOf[slot] ?? NIL;
    if (bucket === NIL) return;
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (previous === NIL) this.#buckets[bucket] = next;
    else this.#next[previous] = next;
    if (next !== NIL) this.#previous[next] = previous;
    this.#bucketOf[slot] = NIL;
  }

  /** Moves on to tick `to`; every slot found due is taken off the wheel and visited. */
  advance(to: number, visit: (slot: number) => void): void {
    while (this.#tick < to) {
      this.#tick++;
      const bucket = this.#tick % this.#buckets.length;
      for (let slot = this.#buckets[bucket] as number; slot !== NIL; slot = this.#buckets[bucket] as number) {
        this.cancel(slot);
        visit(slot);
      }
    }
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#next.length * 2);
    const grow = (old: Int32Array) => {
      const grown = new Int32Array(size).fill(NIL);
      grown.set(old);
      return grown;
    };
    this.#next = grow(this.#next);
    this.#previous = grow(this.#previous);
    this.#bucketOf = grow(this.#bucketOf);
  }
}
