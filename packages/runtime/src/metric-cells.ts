import type { Counter, Gauge, Histogram, MetricSpec } from './metrics.ts';

type LabelValues = Readonly<Record<string, string>>;
type Sample = { readonly value: number; readonly labels: LabelValues; readonly metricName?: string };

/** What prom-client asks of a metric. */
export interface MetricCell {
  readonly name: string;
  readonly help: string;
  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Sample[] }>;
}

const noLabels: LabelValues = {};

/** One entry per combination of label values. Label values are joined by a character that no label value holds. */
abstract class Cell<E extends object> implements MetricCell {
  readonly name: string;
  readonly help: string;
  protected readonly entries = new Map<string, E>();
  /** By identity, for callers that made and froze their labels once. */
  readonly #frozen = new WeakMap<object, E>();
  readonly #labels: readonly string[];
  readonly #type: string;

  constructor(spec: MetricSpec, type: string) {
    this.name = spec.name;
    this.help = spec.help;
    this.#labels = spec.labels ?? [];
    this.#type = type;
  }

  protected entry(labels: LabelValues | undefined): E {
    if (labels === undefined) return this.#find(labels);
    const known = this.#frozen.get(labels);
    if (known !== undefined) return known;
    const entry = this.#find(labels);
    if (Object.isFrozen(labels)) this.#frozen.set(labels, entry);
    return entry;
  }

  #find(labels: LabelValues | undefined): E {
    const names = this.#labels;
    let key = '';
    if (names.length > 0) {
      key = value(labels, names[0] as string);
      for (let i = 1; i < names.length; i++) key += `\n${value(labels, names[i] as string)}`;
    }
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = this.create(names.length === 0 ? noLabels : Object.fromEntries(names.map(n => [n, value(labels, n)])));
      this.entries.set(key, entry);
    }
    return entry;
  }

  protected abstract create(labels: LabelValues): E;
  protected abstract samples(entry: E): Sample[];

  async get(): ReturnType<MetricCell['get']> {
    const values = [...this.entries.values()].flatMap(entry => this.samples(entry));
    return { name: this.name, help: this.help, type: this.#type, aggregator: 'sum', values };
  }
}

function value(labels: LabelValues | undefined, name: string): string {
  const found = labels?.[name];
  if (found === undefined) throw new Error(`label ${name} has no value`);
  return found;
}

type Count = { readonly labels: LabelValues; value: number };

export class CounterCell extends Cell<Count> implements Counter<string> {
  constructor(spec: MetricSpec) {
    super(spec, 'counter');
    if (!spec.labels?.length) this.entry(undefined);
  }
  inc(labels?: LabelValues, by = 1): void {
    if (!(by >= 0)) throw new Error(`counter ${this.name} cannot go down`);
    this.entry(labels).value += by;
  }
  protected create(labels: LabelValues): Count {
    return { labels, value: 0 };
  }
  protected samples(entry: Count): Sample[] {
    return [{ value: entry.value, labels: entry.labels }];
  }
}

export class GaugeCell extends Cell<Count> implements Gauge<string> {
  constructor(spec: MetricSpec) {
    super(spec, 'gauge');
  }
  set(value: number, labels?: LabelValues): void {
    this.entry(labels).value = value;
  }
  inc(labels?: LabelValues, by = 1): void {
    this.entry(labels).value += by;
  }
  protected create(labels: LabelValues): Count {
    return { labels, value: 0 };
  }
  protected samples(entry: Count): Sample[] {
    return [{ value: entry.value, labels: entry.labels }];
  }
}

type Buckets = { readonly labels: LabelValues; readonly counts: Float64Array; sum: number; count: number };

export class HistogramCell extends Cell<Buckets> implements Histogram<string> {
  readonly #bounds: readonly number[];

  constructor(spec: MetricSpec, bounds: readonly number[]) {
    super(spec, 'histogram');
    this.#bounds = bounds;
    if (bounds.some((bound, i) => i > 0 && bound <= (bounds[i - 1] as number))) {
      throw new Error(`histogram ${spec.name}: buckets must grow`);
    }
  }

  observe(value: number, labels?: LabelValues): void {
    const entry = this.entry(labels);
    entry.sum += value;
    entry.count++;
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i++) {
      if (value <= (bounds[i] as number)) {
        (entry.counts[i] as number)++;
        return;
      }
    }
  }

  protected create(labels: LabelValues): Buckets {
    return { labels, counts: new Float64Array(this.#bounds.length), sum: 0, count: 0 };
  }

  protected samples(entry: Buckets): Sample[] {
    const samples: Sample[] = [];
    let below = 0;
    this.#bounds.forEach((bound, i) => {
      below += entry.counts[i] as number;
      samples.push({ value: below, labels: { le: String(bound), ...entry.labels }, metricName: `${this.name}_bucket` });
    });
    samples.push({ value: entry.count, labels: { le: '+Inf', ...entry.labels }, metricName: `${this.name}_bucket` });
    samples.push({ value: entry.sum, labels: entry.labels, metricName: `${this.name}_sum` });
    samples.push({ value: entry.count, labels: entry.labels, metricName: `${this.name}_count` });
    return samples;
  }
}
