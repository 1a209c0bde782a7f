import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type ParleyUnderTest, startParley, until } from '@parley/testkit';
import type { Ground } from './run.ts';
import { inWorld, receives } from './scenario.ts';

/** A span as a collector got it. https://opentelemetry.io/docs/specs/otlp/ */
interface Span {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly failed: boolean;
  readonly seconds: number;
}

const SERVER = 2;
const PRODUCER = 4;
const CONSUMER = 5;

/** Receives spans by OTLP over HTTP, as a collector does. */
async function startCollector() {
  const spans: Span[] = [];
  const bodies: Buffer[] = [];
  const authorizations = new Set<string | undefined>();
  const server = createServer((request, response) => {
    void buffer(request).then(body => {
      bodies.push(body);
      authorizations.add(request.headers.authorization);
      spans.push(...spansOf(body));
      response.writeHead(200, { 'content-type': request.headers['content-type'] }).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/traces`;
  return { url, spans, bodies, authorizations, close: () => void server.close().closeAllConnections() };
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | bigint | number)[]>;

/** Fields of a protobuf message by number. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | bigint | number)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value = valueOf(reader, type);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

function valueOf(reader: BinaryReader, type: WireType): Uint8Array | bigint | number {
  switch (type) {
    case WireType.LengthDelimited:
      return reader.bytes();
    case WireType.Bit64:
      return BigInt(reader.fixed64());
    case WireType.Bit32:
      return reader.fixed32();
    default:
      return reader.uint32();
  }
}

const messages = (fields: Fields, number: number) =>
  (fields.get(number) ?? []).map(bytes => fieldsOf(bytes as Uint8Array));
const text = (fields: Fields | undefined, number: number) =>
  Buffer.from((fields?.get(number)?.[0] ?? []) as Uint8Array).toString();
const hex = (fields: Fields, number: number) =>
  Buffer.from((fields.get(number)?.[0] ?? []) as Uint8Array).toString('hex');

function spansOf(request: Uint8Array): Span[] {
  return messages(fieldsOf(request), 1).flatMap(resourceSpans => {
    const attributes = messages(resourceSpans, 1).flatMap(resource => messages(resource, 1));
    const name = attributes.find(attribute => text(attribute, 1) === 'service.name');
    const service = text(messages(name ?? new Map(), 2)[0], 1);
    const spans = messages(resourceSpans, 2).flatMap(scopeSpans => messages(scopeSpans, 2));
    return spans.map(span => ({
      service,
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentId: hex(span, 4),
      name: text(span, 5),
      kind: Number(span.get(6)?.[0] ?? 0),
      failed: messages(span, 15).some(status => status.get(3)?.[0] === 2),
      seconds: Number((span.get(8)?.[0] as bigint) - (span.get(7)?.[0] as bigint)) / 1e9,
    }));
  });
}

/** One message, from the call to the archive, in one trace, and nobody's words or address in any of it. */
export async function traceOneMessage(ground: Ground): Promise<void> {
  const collector = await startCollector();
  const tracing = { otlpUrl: collector.url, sampleRatio: 1, exportMs: 200, authorization: 'Bearer of-the-collector' };
  let parley: ParleyUnderTest | undefined;
  try {
    parley = await startParley({ ...ground, config: { ...ground.config, tracing } });
    const { metric } = parley;
    await inWorld(parley, ground.faults(parley), async world => {
      const [mei, tom] = [await world.person('林美玲'), await world.person('Tom Okafor')];
      await world.archiving(mei, { archiveInternal: true, archiveExternal: true, critical: false });
      const [desk, phone] = [await world.device(mei), await world.device(tom)];
      await desk.client.send(tom.id, 'the words of mei').acknowledged;
      await receives(phone, 'the words of mei');
      await assert.rejects(world.client().signIn(mei.address, 'not the password'));

      const wanted = ['bus receive im', 'log append archive', 'log handle archive by archiving'];
      const send = await until('the whole trace of the message', () => {
        const sent = collector.spans.find(span => span.name === 'parley.im.v1.ImService/SendMessage');
        const names = collector.spans.filter(span => span.traceId === sent?.traceId).map(span => span.name);
        return wanted.every(name => names.includes(name)) && sent;
      });
      const trace = collector.spans.filter(span => span.traceId === send.traceId);
      const one = (name: string) => {
        const found = trace.find(span => span.name === name);
        assert.ok(found, `${name} among ${trace.map(span => span.name).join(', ')}`);
        return found;
      };
      assert.deepEqual([send.kind, send.parentId, send.failed], [SERVER, '', false]);
      const append = one('log append archive');
      assert.deepEqual([append.kind, append.parentId], [PRODUCER, send.spanId]);
      const handle = one('log handle archive by archiving');
      assert.deepEqual([handle.kind, handle.parentId], [CONSUMER, append.spanId]);
      const publishes = trace.filter(span => span.name === 'bus publish im');
      assert.ok(publishes.length > 0 && publishes.every(p => p.kind === PRODUCER && p.parentId === send.spanId));
      const receive = one('bus receive im');
      assert.equal(receive.kind, CONSUMER);
      assert.ok(publishes.some(publish => publish.spanId === receive.parentId));
      for (const span of trace)
        assert.ok(span.seconds >= 0 && span.seconds < 60, `${span.name} took ${span.seconds} s`);
      await until('the refused sign-in', () =>
        collector.spans.some(s => s.name.endsWith('AuthService/SignIn') && s.failed),
      );

      const services = new Set(collector.spans.map(span => span.service));
      if (ground.topology === 'pool') assert.ok(services.has('parley-im') && services.has('parley-archiving'));
      else assert.deepEqual([...services], ['parley']);
      assert.deepEqual([...collector.authorizations], ['Bearer of-the-collector']);
      assert.ok((await metric('parley_tracing_spans_total', { outcome: 'exported' })) > 10);
    });
    // what was waiting when it stopped came, too
    const before = collector.spans.length;
    await Promise.all(parley.processes.map(process => process.stop()));
    assert.ok(collector.spans.length > before, 'streams end with the process');
    // services ask each other in the trace of the call that made them
    const opened = collector.spans.find(span => span.name.endsWith('PresenceInternalService/OpenEndpoint'));
    const parent = collector.spans.find(span => span.spanId === opened?.parentId && span.traceId === opened.traceId);
    assert.equal(parent?.name, 'parley.session.v1.SessionService/Connect');
    const all = Buffer.concat(collector.bodies);
    for (const secret of ['the words of mei', '@parley.example', '林美玲', 'Okafor', 'not the password'])
      assert.equal(all.includes(secret), false, `${secret} is in no span`);
  } finally {
    await parley?.stop();
    collector.close();
  }
}
