import type { Bus } from '@parley/bus';
import type { EventLog } from '@parley/event-log';
import { type Clock, type Ids, type Logger, type Metrics, type Module, startTracing } from '@parley/runtime';
import type { ParleyConfig } from '../config.ts';
import type { Topology } from '../topology.ts';
import { VERSION } from '../version.ts';
import { tracedBus } from './traced-bus.ts';
import { tracedEventLog } from './traced-event-log.ts';

/** Bus and log as services get them, and what exports the spans. */
export interface ProcessTracing {
  readonly on: boolean;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  readonly modules: readonly Module[];
}

/** Without a collector nothing is loaded, and nothing stands between services and their bus and log. */
export async function traceProcess(
  { tracing, targets }: ParleyConfig,
  {
    topology,
    ids,
    ...deps
  }: {
    readonly topology: Topology;
    readonly ids: Ids;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
): Promise<ProcessTracing> {
  const { bus, eventLog } = topology;
  if (tracing.otlpUrl === '') return { on: false, bus, eventLog, modules: [] };
  const service = targets.length === 1 ? `parley-${targets[0]}` : 'parley';
  const exporting = await startTracing({ ...tracing, ...deps, service, version: VERSION, instance: ids.opaque() });
  return { on: true, bus: tracedBus(bus), eventLog: tracedEventLog(eventLog), modules: [exporting] };
}
