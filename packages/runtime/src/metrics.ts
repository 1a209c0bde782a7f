/** Definition of a metric; the generated metrics reference lists every one. */
export interface MetricSpec<L extends string = string> {
  /** Prometheus name, `parley_<area>_<what>_<unit>`, counters end in `_total`. */
  readonly name: string;
  /** One English sentence: what is counted, in which unit. */
  readonly help: string;
  /** Label names; values must be of low cardinality (never ids or addresses). */
  readonly labels?: readonly L[];
}

/** Label values of one sample. Where it matters, make them once and freeze them: counting is then one look-up. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/** Only goes up. */
export interface Counter<L extends string = string> {
  inc(labels?: Labels<L>, by?: number): void;
}

/** Goes up and down. */
export interface Gauge<L extends string = string> {
  set(value: number, labels?: Labels<L>): void;
  inc(labels?: Labels<L>, by?: number): void;
}

/** Counts observations into buckets. */
export interface Histogram<L extends string = string> {
  observe(value: number, labels?: Labels<L>): void;
}

/**
 * Registry of the process. Asking twice for the same name returns the same metric, so that several services may share
 * a process.
 */
export interface Metrics {
  counter<L extends string = never>(spec: MetricSpec<L>): Counter<L>;
  gauge<L extends string = never>(spec: MetricSpec<L>): Gauge<L>;
  /** `buckets` in the unit of the name. */
  histogram<L extends string = never>(spec: MetricSpec<L> & { readonly buckets?: readonly number[] }): Histogram<L>;
  /** Text exposition format. */
  render(): Promise<string>;
  /** Every metric defined so far, for the generated reference. */
  specs(): readonly (MetricSpec & { readonly kind: 'counter' | 'gauge' | 'histogram' })[];
}
