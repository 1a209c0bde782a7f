import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { trace } from '@opentelemetry/api';
import { systemClock } from '../clock.ts';
import { createLogger } from '../create-logger.ts';
import { createMetrics } from '../create-metrics.ts';
import { startTracing } from './start-tracing.ts';

function setUp() {
  const lines: { event: string; message?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const metrics = createMetrics({ defaults: false });
  const options = {
    ...{
      service: 'parley-im',
      version: '0.1.0',
      instance: 'one',
      exportMs: 50,
      exportTimeoutMs: 1_000,
      queueSpans: 100,
    },
    ...{ clock: systemClock, metrics, logger: createLogger({ level: 'debug', service: 'test', destination }) },
  };
  return { lines, metrics, options };
}

describe('tracing', () => {
  it('exports what was recorded when it stops, and records only its part of the traces', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests++;
      request.resume().on('end', () => response.writeHead(200).end());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const otlpUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
    const { options, metrics } = setUp();
    const none = await startTracing({ ...options, otlpUrl, sampleRatio: 0 });
    trace.getTracer('test').startSpan('x').end();
    await none.stop();
    assert.equal(requests, 0);
    const all = await startTracing({ ...options, otlpUrl, sampleRatio: 1, exportMs: 600_000 });
    trace.getTracer('test').startSpan('x').end();
    trace.getTracer('test').startSpan('y').end();
    await all.stop();
    assert.equal(requests, 1);
    assert.match(await metrics.render(), /parley_tracing_spans_total\{outcome="exported"\} 2/);
    assert.equal(trace.getTracer('test').startSpan('z').isRecording(), false, 'nothing after the stop');
    server.close();
  });

  it('without a collector tells so once and keeps nobody waiting when it stops', async () => {
    const { options, metrics, lines } = setUp();
    const tracing = await startTracing({ ...options, otlpUrl: 'http://127.0.0.1:9/v1/traces', sampleRatio: 1 });
    for (let i = 0; i < 300; i++) trace.getTracer('test').startSpan('x').end();
    const began = performance.now();
    await tracing.stop();
    assert.ok(performance.now() - began < 5_000);
    const told = lines.filter(line => line.event === 'tracing.export_failed');
    assert.equal(told.length, 1, JSON.stringify(lines));
    assert.match(await metrics.render(), /parley_tracing_spans_total\{outcome="failed"\}/);
  });
});
