/** One figure. */
export interface Row {
  /** Name in the JSON line; ends in the unit. */
  readonly key: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** A bench: starts what it needs, measures, stops it. `smoke` only shows that it works. */
export type Bench = (options: { readonly smoke: boolean }) => Promise<readonly Row[]>;

/** Value at the share `q` of sorted numbers. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}
