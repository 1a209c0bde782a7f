import type { Position } from '../ports/archive-log.ts';

const MOST = 200_000;

/**
 * Log positions whose event this process knows to be stored, so that the reconciler need not ask the store. Only a
 * short cut: what is forgotten here is looked up.
 */
export class SettledPositions {
  readonly #partitions = new Map<number, Set<number>>();

  add({ partition, offset }: Position): void {
    let offsets = this.#partitions.get(partition);
    if (!offsets) this.#partitions.set(partition, (offsets = new Set()));
    if (offsets.size >= MOST) offsets.clear();
    offsets.add(offset);
  }

  /** Whether it is known; forgets it. */
  take({ partition, offset }: Position): boolean {
    return this.#partitions.get(partition)?.delete(offset) ?? false;
  }
}
