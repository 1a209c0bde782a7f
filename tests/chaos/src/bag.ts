/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Draws by chance from what has not been drawn yet, so that everything comes before anything comes again; only what
 * `suits`, and undefined when nothing that is left does. A bag that is empty is filled again.
 */
export function bag<T>(things: readonly T[], chance: () => number): (suits: (thing: T) => boolean) => T | undefined {
  let left: T[] = [];
  return suits => {
    if (left.length === 0) left = [...things];
    const suitable = left.filter(suits);
    const drawn = suitable[Math.floor(chance() * suitable.length)];
    left = left.filter(thing => thing !== drawn);
    return drawn;
  };
}
