/** One question to the store for its time; `sentAt` and `receivedAt` by a clock of ours that never goes back. */
export interface TimeSample {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly storeMs: number;
}

/** What to add to our clock to get the store's, and how wrong that can be. */
export interface Offset {
  readonly offsetMs: number;
  readonly errorMs: number;
}

export const roundTrip = (sample: TimeSample): number => sample.receivedAt - sample.sentAt;

function offsetOf(sample: TimeSample): Offset {
  const half = roundTrip(sample) / 2;
  return { offsetMs: sample.storeMs - (sample.sentAt + half), errorMs: half };
}

/**
 * The offset by the sample with the shortest round trip. When the newest one contradicts it by more than both can be
 * wrong (the store's clock was set), the newest counts.
 */
export function estimateOffset(samples: readonly TimeSample[]): Offset | undefined {
  const newest = samples.at(-1);
  if (!newest) return undefined;
  let best = newest;
  for (const sample of samples) if (roundTrip(sample) < roundTrip(best)) best = sample;
  const chosen = offsetOf(best);
  const latest = offsetOf(newest);
  const contradicts = Math.abs(chosen.offsetMs - latest.offsetMs) > chosen.errorMs + latest.errorMs + SLACK_MS;
  return contradicts ? latest : chosen;
}

/** Clocks drift, and stores answer in whole milliseconds. */
const SLACK_MS = 50;
