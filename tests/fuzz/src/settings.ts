import { randomInt } from 'node:crypto';
import { defaultReportMessage, type Parameters } from 'fast-check';

/**
 * `PARLEY_FUZZ_SEED` repeats a run, `PARLEY_FUZZ_RUNS` multiplies the short form (1 takes seconds, 100 an hour).
 * Without a seed every run tries something else.
 */
export const seed = integer('PARLEY_FUZZ_SEED', -(2 ** 31)) ?? randomInt(2 ** 31);
export const times = integer('PARLEY_FUZZ_RUNS', 1) ?? 1;

console.log(`fuzz: PARLEY_FUZZ_SEED=${seed} PARLEY_FUZZ_RUNS=${times}`);

/** Parameters of `fc.assert` for a property whose short form has so many runs. */
export function runs<T>(short: number): Parameters<T> {
  // One failure is enough to look at; shrinking a stateful server for long is not worth it.
  const few = Math.ceil(short / 20);
  return {
    seed,
    numRuns: short * times,
    interruptAfterTimeLimit: 30_000 * times,
    endOnFailure: false,
    // a slow machine may try less, but not next to nothing
    reporter(out) {
      if (out.failed) throw new Error(defaultReportMessage(out), { cause: out.errorInstance });
      if (out.interrupted && out.numRuns < few)
        throw new Error(`${out.numRuns} runs of ${short} in the time there was`);
    },
  };
}

function integer(name: string, least: number): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`${name}: ${text} is not a whole number >= ${least}`);
  return value;
}
