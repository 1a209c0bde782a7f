const perMs = 1000;

/**
 * Versions follow the store's time, so that those of different documents can be compared: greater than everything
 * `known`, and in the course of time greater than what was not known. A change for everybody is put at the end of its
 * millisecond, above the changes of single people in it.
 */
export function nextVersion(storeNowMs: number, known: number, everybody: boolean): number {
  return Math.max(storeNowMs * perMs + (everybody ? perMs - 1 : 0), known + 1);
}
