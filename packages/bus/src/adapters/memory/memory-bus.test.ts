import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics, type Logger } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import type { ContinuityBreak } from '../../bus.ts';
import { busContract } from '../../contract/bus.contract.ts';
import { createMemoryBus } from './memory-bus.ts';

busContract('memory', async () => {
  const bus = createMemoryBus();
  return { near: bus, far: bus, prefix: 'test', close: () => bus.close() };
});

const text = (value: string) => Buffer.from(value);

function setUp() {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock });
  const got: string[] = [];
  bus.subscribe('t.>', m => void got.push(`${m.subject}=${Buffer.from(m.data).toString()}`));
  return { clock, bus, got };
}

describe('memory bus', () => {
  it('delivers after the publisher has gone on, yet before anything else happens', async () => {
    const { bus, got } = setUp();
    bus.publish('t.a', text('1'));
    assert.deepEqual(got, []);
    await Promise.resolve();
    assert.deepEqual(got, ['t.a=1']);
  });

  it('does not deliver to a subscription made after the message was published', async () => {
    const { bus } = setUp();
    let late = 0;
    bus.publish('t.a', text('1'));
    bus.subscribe('t.a', () => void late++);
    await bus.flush();
    assert.equal(late, 0);
  });

  it('loses what the drop fault names', async () => {
    const { bus, got } = setUp();
    bus.faults.drop = m => m.subject === 't.a';
    bus.publish('t.a', text('1'));
    bus.publish('t.b', text('2'));
    await bus.flush();
    assert.deepEqual(got, ['t.b=2']);
  });

  it('delivers twice what the duplicate fault names', async () => {
    const { bus, got } = setUp();
    bus.faults.duplicate = m => m.subject === 't.a';
    bus.publish('t.a', text('1'));
    bus.publish('t.b', text('2'));
    await bus.flush();
    assert.deepEqual(got, ['t.a=1', 't.a=1', 't.b=2']);
  });

  it('counts by first token and logs a failing handler once, with no more of the subject than that', async () => {
    const clock = new ManualClock();
    const metrics = createMetrics({ defaults: false });
    const lines: unknown[] = [];
    const logger = { error: (event: string, fields: unknown) => lines.push([event, fields]) } as unknown as Logger;
    const bus = createMemoryBus({ clock, metrics, logger });
    const err = new Error('on purpose');
    bus.subscribe('t.*', () => {
      throw err;
    });
    for (let i = 0; i < 3; i++) bus.publish('t.secret-id', text('1'));
    bus.publish('u.secret-id', text('1'));
    await bus.flush();
    await clock.advance(10_000);
    bus.publish('t.secret-id', text('1'));
    await bus.flush();
    const rendered = await metrics.render();
    assert.match(rendered, /parley_bus_published_total\{subject="t"\} 4/);
    assert.match(rendered, /parley_bus_published_total\{subject="u"\} 1/);
    assert.match(rendered, /parley_bus_received_total\{subject="t"\} 4/);
    assert.match(rendered, /parley_bus_handler_errors_total\{subject="t"\} 4/);
    assert.match(rendered, /parley_bus_subscriptions 1/);
    assert.deepEqual(lines, [
      ['bus.handler.failed', { subject: 't', suppressed: 0, err }],
      ['bus.handler.failed', { subject: 't', suppressed: 2, err }],
    ]);
  });

  it('holds messages back and keeps the order of their subject', async () => {
    const { bus, got, clock } = setUp();
    bus.faults.delay = m => (Buffer.from(m.data).toString() === '1' ? 100 : 0);
    bus.publish('t.a', text('1'));
    bus.publish('t.a', text('2'));
    bus.publish('t.b', text('3'));
    await bus.flush();
    assert.deepEqual(got, ['t.b=3']);
    await clock.advance(99);
    assert.deepEqual(got, ['t.b=3']);
    await clock.advance(1);
    assert.deepEqual(got, ['t.b=3', 't.a=1', 't.a=2']);
  });

  it('tells a break of continuity and loses what is published meanwhile', async () => {
    const { bus, got } = setUp();
    const events: ContinuityBreak[] = [];
    const stop = bus.onContinuity(event => void events.push(event));
    bus.onContinuity(() => {
      throw new Error('on purpose');
    });
    bus.disconnect();
    assert.equal(bus.connected, false);
    bus.publish('t.a', text('lost'));
    await assert.rejects(bus.flush(), /not connected/);
    bus.restore();
    bus.publish('t.a', text('kept'));
    await bus.flush();
    bus.breakContinuity({ kind: 'slow-consumer', pattern: 't.>' });
    stop();
    bus.breakContinuity();
    assert.deepEqual(got, ['t.a=kept']);
    assert.deepEqual(
      events.map(e => e.kind),
      ['disconnected', 'restored', 'slow-consumer'],
    );
  });
});
