import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMetrics } from './create-metrics.ts';

it('writes counters, gauges and histograms in the exposition format', async () => {
  const metrics = createMetrics({ defaults: false });
  const sent = metrics.counter({ name: 'parley_im_sent_total', help: 'Messages sent.', labels: ['lane', 'kind'] });
  sent.inc({ lane: 'archived', kind: 'message' });
  sent.inc({ kind: 'message', lane: 'archived' }, 2);
  sent.inc({ lane: 'critical', kind: 'message' });
  metrics.counter({ name: 'parley_im_lost_total', help: 'Messages lost.' });
  const open = metrics.gauge({ name: 'parley_session_open', help: 'Sessions open.' });
  open.set(5);
  open.inc(undefined, -2);
  const took = metrics.histogram({ name: 'parley_im_seconds', help: 'Time.', buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 3]) took.observe(value);
  const lines = (await metrics.render()).split('\n').filter(line => line !== '');
  assert.deepEqual(lines, [
    '# HELP parley_im_sent_total Messages sent.',
    '# TYPE parley_im_sent_total counter',
    'parley_im_sent_total{lane="archived",kind="message"} 3',
    'parley_im_sent_total{lane="critical",kind="message"} 1',
    '# HELP parley_im_lost_total Messages lost.',
    '# TYPE parley_im_lost_total counter',
    'parley_im_lost_total 0',
    '# HELP parley_session_open Sessions open.',
    '# TYPE parley_session_open gauge',
    'parley_session_open 3',
    '# HELP parley_im_seconds Time.',
    '# TYPE parley_im_seconds histogram',
    'parley_im_seconds_bucket{le="0.1"} 2',
    'parley_im_seconds_bucket{le="1"} 3',
    'parley_im_seconds_bucket{le="+Inf"} 4',
    'parley_im_seconds_sum 3.65',
    'parley_im_seconds_count 4',
  ]);
});

it('gives the same metric to everybody who asks for its name', () => {
  const metrics = createMetrics({ defaults: false });
  const spec = { name: 'parley_a_b_total', help: 'x', labels: ['c'] as const };
  assert.equal(metrics.counter(spec), metrics.counter(spec));
  assert.deepEqual(metrics.specs(), [{ ...spec, kind: 'counter' }]);
  assert.throws(() => metrics.gauge(spec), /another kind/);
  assert.throws(() => metrics.counter({ ...spec, labels: ['d'] }), /other labels/);
});

it('refuses names that break the rules, missing labels and counters that go down', () => {
  const metrics = createMetrics({ defaults: false });
  assert.throws(() => metrics.counter({ name: 'parley_a_b', help: 'x' }), /_total/);
  assert.throws(() => metrics.gauge({ name: 'other_a', help: 'x' }), /not a metric name/);
  assert.throws(() => metrics.gauge({ name: 'parley_a_b', help: 'x', labels: ['Person'] }), /label name/);
  const counter = metrics.counter({ name: 'parley_a_b_total', help: 'x', labels: ['c'] });
  assert.throws(() => counter.inc(undefined), /label c/);
  assert.throws(() => counter.inc({ c: 'x' }, -1), /cannot go down/);
  assert.throws(() => counter.inc({ c: 'x' }, Number.NaN), /cannot go down/);
});

it('measures the process, how busy its event loop is included, and samples nothing', async () => {
  const metrics = createMetrics();
  const text = await metrics.render();
  for (const name of [
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_utilization',
    'process_resident_memory_bytes',
  ]) {
    assert.ok(text.includes(`\n${name} `) || text.includes(`\n${name}{`), name);
  }
  assert.equal(text.includes('nodejs_eventloop_lag_p99_seconds'), false);
  await new Promise(resolve => setTimeout(resolve, 1)); // the loop must have turned
  await metrics.render();
  for (const end = performance.now() + 50; performance.now() < end; );
  const busy = /\nnodejs_eventloop_utilization (\S+)/.exec(await metrics.render())?.[1];
  assert.ok(Number(busy) > 0.5 && Number(busy) <= 1, `${busy}`);
});
