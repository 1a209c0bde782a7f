import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { CounterCell, GaugeCell, HistogramCell, type MetricCell } from './metric-cells.ts';
import type { MetricSpec, Metrics } from './metrics.ts';

/** Seconds, from 100 us to 10 s: what a request may take. */
const defaultBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Settings of {@link createMetrics}. */
export interface MetricsOptions {
  /** Whether to measure the process too: CPU, memory, garbage collection, how busy the event loop is. Default true. */
  readonly defaults?: boolean;
}

/**
 * A registry of its own. Counting is done here, in plain numbers (about 0.1 us), because it happens on every message;
 * prom-client writes the exposition format and measures the process.
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const cells = new Map<string, { readonly cell: MetricCell; readonly spec: ReturnType<Metrics['specs']>[number] }>();
  if (options.defaults !== false) measureProcess(registry);

  function define<C extends MetricCell>(
    kind: 'counter' | 'gauge' | 'histogram',
    spec: MetricSpec,
    make: (spec: MetricSpec) => C,
  ): C {
    const known = cells.get(spec.name);
    if (known) {
      const same = known.spec.kind === kind && String(known.spec.labels ?? []) === String(spec.labels ?? []);
      if (!same) throw new Error(`metric ${spec.name} was defined before with another kind or other labels`);
      return known.cell as C;
    }
    check(kind, spec);
    const cell = make(spec);
    cells.set(spec.name, { cell, spec: { ...spec, kind } });
    registry.registerMetric(cell as unknown as Metric);
    return cell;
  }

  return {
    counter: spec => define('counter', spec, s => new CounterCell(s)),
    gauge: spec => define('gauge', spec, s => new GaugeCell(s)),
    histogram: spec => define('histogram', spec, s => new HistogramCell(s, spec.buckets ?? defaultBuckets)),
    render: () => registry.metrics(),
    specs: () => [...cells.values()].map(entry => entry.spec),
  };
}

const NEVER_MS = 2 ** 31 - 1;

/** What prom-client measures of a process, less what it samples: that would wake an idle process all the time. */
function measureProcess(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: NEVER_MS });
  for (const sampled of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
    register.removeSingleMetric(`nodejs_eventloop_lag_${sampled}_seconds`);
  let last = performance.eventLoopUtilization();
  const utilization = new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the time since the last scrape that the event loop was busy, 0 to 1.',
    registers: [],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
  register.registerMetric(utilization);
}

function check(kind: string, spec: MetricSpec): void {
  if (!/^parley_[a-z0-9]+(_[a-z0-9]+)+$/.test(spec.name)) throw new Error(`${spec.name}: not a metric name of ours`);
  if (kind === 'counter' && !spec.name.endsWith('_total')) throw new Error(`counter ${spec.name} must end in _total`);
  for (const label of spec.labels ?? []) {
    if (!/^[a-z][a-z0-9_]*$/.test(label)) throw new Error(`${spec.name}: ${label} is not a label name`);
  }
}
