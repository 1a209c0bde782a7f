import type { Position } from '../ports/archive-log.ts';

/**
 * Log positions whose event this process knows to be stored, so that the reconciler need not ask the store. Only a
 * short cut: what is forgotten here is looked up. Positions of partitions that another replica reads are never taken.
 */
export class SettledPositions {
  readonly #most: number;
  readonly #partitions = new Map<number, Set<number>>();
  #size = 0;

  /** `most`: of all partitions together. */
  constructor(most = 200_000) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  add({ partition, offset }: Position): void {
    if (this.#size >= this.#most) {
      this.#partitions.clear();
      this.#size = 0;
    }
    let offsets = this.#partitions.get(partition);
    if (!offsets) this.#partitions.set(partition, (offsets = new Set()));
    const before = offsets.size;
    offsets.add(offset);
    this.#size += offsets.size - before;
  }

  /** Whether it is known; forgets it. */
  take({ partition, offset }: Position): boolean {
    const known = this.#partitions.get(partition)?.delete(offset) ?? false;
    if (known) this.#size--;
    return known;
  }
}
