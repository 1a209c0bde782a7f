import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ParleyUnderTest, startParley, until } from '@parley/testkit';
import type { Collector, Span } from './collector.ts';
import type { Ground } from './run.ts';
import { inWorld, receives } from './scenario.ts';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const SEND = 'parley.im.v1.ImService/SendMessage';

/** One message, from the client to the archive, in one trace, and nobody's words or address in any of it. */
export async function traceOneMessage(ground: Ground, collector: Collector): Promise<void> {
  const { url: otlpUrl, authorization } = collector;
  const tracing = { otlpUrl, sampleRatio: 1, exportMs: 200, authorization };
  let parley: ParleyUnderTest | undefined;
  try {
    parley = await startParley({ ...ground, config: { ...ground.config, tracing } });
    const { metric } = parley;
    await inWorld(parley, ground.faults(parley), async world => {
      const [mei, tom] = [await world.person('林美玲'), await world.person('Tom Okafor')];
      await world.archiving(mei, { archiveInternal: true, archiveExternal: true, critical: false });
      const span = clientSpan();
      const traceparent = (call: string) => (call === SEND ? span.traceparent : undefined);
      const [desk, phone] = [await world.device(mei, { traceparent }), await world.device(tom)];
      await desk.client.send(tom.id, 'the words of mei').acknowledged;
      await span.end(collector);
      await receives(phone, 'the words of mei');
      await assert.rejects(world.client().signIn(mei.address, 'not the password'));

      const trace = await until('the whole trace of the message', () => wholeTrace(collector.spans()));
      const one = (name: string, kind: number) => {
        const found = trace.find(span => span.name === name && span.kind === kind);
        assert.ok(found, `${name} among ${trace.map(span => span.name).join(', ')}`);
        return found;
      };
      const asked = one(SEND, CLIENT);
      assert.deepEqual([asked.service, asked.parentId], ['a-client', '']);
      const send = one(SEND, SERVER);
      assert.deepEqual([send.parentId, send.failed], [asked.spanId, false]);
      const append = one('log append archive', PRODUCER);
      assert.equal(append.parentId, send.spanId);
      const handle = one('log handle archive by archiving', CONSUMER);
      assert.equal(handle.parentId, append.spanId);
      const publishes = trace.filter(span => span.name === 'bus publish im');
      assert.ok(publishes.length > 0 && publishes.every(p => p.kind === PRODUCER && p.parentId === send.spanId));
      const receive = one('bus receive im', CONSUMER);
      assert.ok(publishes.some(publish => publish.spanId === receive.parentId));
      for (const span of trace)
        assert.ok(span.seconds >= 0 && span.seconds < 60, `${span.name} took ${span.seconds} s`);
      const of = [send, append, receive, handle].map(span => span.service);
      const im = ground.topology === 'pool' ? 'parley-im' : 'parley';
      const others = ground.topology === 'pool' ? ['parley-session', 'parley-archiving'] : ['parley', 'parley'];
      assert.deepEqual(of, [im, im, ...others]);
      await until('the refused sign-in', () =>
        collector.spans().some(s => s.name.endsWith('AuthService/SignIn') && s.failed),
      );
      assert.ok((await metric('parley_tracing_spans_total', { outcome: 'exported' })) > 10);
    });
    // what was waiting when it stopped came, too
    const before = collector.spans().length;
    await Promise.all(parley.processes.map(process => process.stop()));
    // services ask each other in the trace of the call that made them
    const parent = await until('streams to end with the process', () => {
      const spans = collector.spans();
      const opened = spans.find(span => span.name.endsWith('PresenceInternalService/OpenEndpoint'));
      return spans.length > before && spans.find(s => s.spanId === opened?.parentId && s.traceId === opened.traceId);
    });
    assert.equal(parent.name, 'parley.session.v1.SessionService/Connect');
    const all = collector.everything();
    for (const secret of ['the words of mei', '@parley.example', '林美玲', 'Okafor', 'not the password'])
      assert.equal(all.includes(secret), false, `${secret} is in no span`);
  } finally {
    await parley?.stop();
    await collector.close();
  }
}

const WHOLE = ['bus receive im', 'log append archive', 'log handle archive by archiving'];

/** The trace of the one message, once everything is in it. */
function wholeTrace(spans: readonly Span[]): readonly Span[] | undefined {
  const asked = spans.find(span => span.name === SEND && span.kind === CLIENT);
  const trace = spans.filter(span => span.traceId === asked?.traceId);
  const names = new Set(trace.map(span => span.name));
  return trace.some(span => span.name === SEND && span.kind === SERVER) && WHOLE.every(name => names.has(name))
    ? trace
    : undefined;
}

/** The span of a client that traces: it begins the trace of what it sends, and tells the collector itself. */
function clientSpan() {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const began = Date.now();
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    async end({ url, authorization }: Collector): Promise<void> {
      const time = { startTimeUnixNano: `${began}000000`, endTimeUnixNano: `${Date.now()}000000` };
      const span = { traceId, spanId, name: SEND, kind: CLIENT, ...time };
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'a-client' } }] };
      const told = await fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
      });
      assert.equal(told.status, 200);
    },
  };
}
