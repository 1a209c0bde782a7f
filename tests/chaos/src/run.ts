import { formatReport } from '../../e2e/traffic/ledger.ts';
import { apart, type Fault, type Ground } from './faults/fault.ts';

/** How a chaos run goes. */
export interface ChaosOptions {
  readonly ms: number;
  /** The same seed gives the same faults in the same order. */
  readonly seed: number;
  /** Lines for whoever watches. */
  readonly say: (line: string) => void;
}

/** One time in so many two faults happen at once. */
const TOGETHER = 4;

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

/** Breaks one thing after the other, sometimes two at once, until the time is over; after each, everything must be well. */
export async function chaos(faults: readonly Fault[], given: Ground, { ms, seed, say }: ChaosOptions): Promise<number> {
  const chance = chances(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
  const ground: Ground = { ...given, pick };
  const { traffic, pool } = ground;
  const end = performance.now() + ms;
  let broken = 0;
  while (performance.now() < end) {
    const first = pick(faults);
    const others = faults.filter(fault => apart(first, fault));
    const chosen = others.length > 0 && chance() < 1 / TOGETHER ? [first, pick(others)] : [first];
    const names = chosen.map(({ name }) => name).join(' + ');
    const began = performance.now();
    try {
      await Promise.all(chosen.map(fault => fault.run(ground)));
      await traffic.flows();
      const report = await traffic.settle();
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      say(`${names} (${seconds} s)\n  ${formatReport(report).replaceAll('\n', '\n  ')}`);
      broken += chosen.length;
    } catch (error) {
      await pool.heal();
      throw new Error(`seed ${seed}, fault number ${broken + 1}: ${names}`, { cause: error });
    }
  }
  return broken;
}
