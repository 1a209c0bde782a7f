import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Module } from '../module.ts';

/** Settings of {@link startTracing}. Times in milliseconds. */
export interface TracingOptions {
  /** Where spans go: OTLP over HTTP, protobuf, for example `http://127.0.0.1:4318/v1/traces`. */
  readonly otlpUrl: string;
  /** Value of the `authorization` header the collector asks for. */
  readonly authorization?: string;
  /** Part of the traces that is recorded, 0 to 1. Decided by the trace's id, so that every process decides alike. */
  readonly sampleRatio: number;
  /** What the process is called there (`service.name`), and which one it is (`service.instance.id`). */
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  /** Between two exports. */
  readonly exportMs: number;
  /** How long an export may take; also the flush when stopping. */
  readonly exportTimeoutMs: number;
  /** Spans that may wait for export; more are dropped. */
  readonly queueSpans: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const QUIET_MS = 60_000;

/**
 * From now on spans of this process are recorded and exported; stopping flushes. The SDK is loaded only here: a process
 * without tracing has none of it.
 */
export async function startTracing(options: TracingOptions): Promise<Module> {
  const [{ diag, DiagLogLevel, trace }, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ]);
  const { otlpUrl, authorization, exportTimeoutMs, logger, clock } = options;
  const spans = options.metrics.counter<'outcome'>({
    name: 'parley_tracing_spans_total',
    help: 'Spans handed to the trace collector, by outcome: exported or failed.',
    labels: ['outcome'],
  });
  const quiet = quietly(clock, message => logger.warn('tracing.export_failed', { message, collector: otlpUrl }));
  diag.setLogger({ error: quiet, warn: quiet, info() {}, debug() {}, verbose() {} }, { logLevel: DiagLogLevel.WARN });

  const inner = new OTLPTraceExporter({
    url: otlpUrl,
    timeoutMillis: exportTimeoutMs,
    ...(authorization && { headers: { authorization } }),
  });
  const exporter: SpanExporter = {
    export: (batch, done) =>
      inner.export(batch, result => {
        spans.inc({ outcome: Number(result.code) === 0 ? 'exported' : 'failed' }, batch.length);
        done(result);
      }),
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.version': options.version,
      'service.instance.id': options.instance,
    }),
    sampler: new sdk.TraceIdRatioBasedSampler(options.sampleRatio),
    spanLimits: { attributeCountLimit: 16, attributeValueLengthLimit: 128, eventCountLimit: 8, linkCountLimit: 8 },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: options.queueSpans,
        maxExportBatchSize: Math.min(512, options.queueSpans),
        scheduledDelayMillis: options.exportMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    name: 'tracing',
    start: async () => {},
    async stop() {
      trace.disable();
      // what cannot be delivered any more has been logged
      await provider.shutdown().catch(quiet);
    },
  };
}

/** The first message at once, then one a minute. */
function quietly(clock: Clock, tell: (message: string) => void): (message: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return message => {
    if (clock.monotonic() - last < QUIET_MS) return;
    last = clock.monotonic();
    tell(String(message instanceof Error ? message.message : message).slice(0, 500));
  };
}
