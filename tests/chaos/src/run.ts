import { formatReport } from '../../e2e/traffic/ledger.ts';
import { bag, chances } from './bag.ts';
import { apart, type Fault, type Ground, seconds } from './faults/fault.ts';

/** How a chaos run goes. */
export interface ChaosOptions {
  readonly ms: number;
  /** Goes on after that until every fault has come once. */
  readonly every: boolean;
  /** The same seed gives the same faults in the same order. */
  readonly seed: number;
  /** Lines for whoever watches. */
  readonly say: (line: string) => void;
}

/** One time in so many two faults happen at once. */
const TOGETHER = 4;
/** How long what a failed run leaves behind may take, each, milliseconds. */
const HEALED_MS = 60_000;
/** Until everything is well again, milliseconds; a crowd of thousands has to be made, and to come back. */
const limitMs = (sessions: number): number => 300_000 + 50 * sessions;

/** Breaks one thing after the other, sometimes two at once, until the time is over; after each, everything must be well. */
export async function chaos(
  faults: readonly Fault[],
  given: Omit<Ground, 'alone' | 'note' | 'pick'>,
  { ms, every, seed, say }: ChaosOptions,
): Promise<{ readonly broken: number; readonly kinds: number }> {
  const chance = chances(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
  const { traffic, pool } = given;
  const draw = bag(faults, chance);
  const kinds = new Set<Fault>();
  const end = performance.now() + ms;
  let broken = 0;
  while (performance.now() < end || (every && kinds.size < faults.length)) {
    const first = draw(() => true);
    if (!first) throw new Error('there are no faults to draw from');
    const second = chance() < 1 / TOGETHER ? draw(fault => apart(first, fault)) : undefined;
    const chosen = second ? [first, second] : [first];
    const notes: string[] = [];
    const ground: Ground = { ...given, pick, alone: !second, note: line => notes.push(line) };
    const names = chosen.map(({ name }) => name).join(' + ');
    const began = performance.now();
    const broke = async () => {
      await Promise.all(chosen.map(fault => fault.run(ground)));
      await traffic.flows();
      return traffic.settle();
    };
    try {
      const report = await inTime(broke(), limitMs(given.sessions));
      const lines = [...notes, ...formatReport(report).split('\n')];
      say([`${names} (${seconds(performance.now() - began)})`, ...lines].join('\n  '));
      broken += chosen.length;
      for (const fault of chosen) kinds.add(fault);
    } catch (error) {
      say(await evidenceOf(pool));
      await inTime(pool.heal(), HEALED_MS).catch((failure: unknown) => say(`not healed: ${failure}`));
      throw new Error(`seed ${seed}, fault number ${broken + 1}: ${names}`, { cause: error });
    }
  }
  return { broken, kinds: kinds.size };
}

/** What a failed run leaves behind; never fails itself, so that the failure is told. */
export const evidenceOf = (pool: Ground['pool']): Promise<string> => inTime(pool.evidence(), HEALED_MS).catch(String);

/** Rejects when the work takes longer; who waits for something without a limit would wait for ever. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not everything was well after ${seconds(ms)}`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
