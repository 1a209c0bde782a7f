import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { startOtelcol } from '../backends/src/index.ts';

/** A span as a collector got it. https://opentelemetry.io/docs/specs/otlp/ */
export interface Span {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly failed: boolean;
  readonly seconds: number;
}

/** Where spans go. It takes only those that come with its authorization. */
export interface Collector {
  readonly url: string;
  readonly authorization: string;
  /** What it has so far. */
  spans(): readonly Span[];
  /** All of it as it came, to look for what must not be there. */
  everything(): Buffer;
  close(): Promise<void>;
}

const FAILED = 2;

/** Receives spans by OTLP over HTTP in this process, as a collector does. */
export async function startReceiver(authorization: string): Promise<Collector> {
  const spans: Span[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then(body => {
      if (request.headers.authorization !== authorization) return response.writeHead(401).end();
      bodies.push(body);
      const json = request.headers['content-type'] === 'application/json';
      spans.push(...(json ? spansInLine(body.toString()) : spansOf(body)));
      return response.writeHead(200, { 'content-type': request.headers['content-type'] }).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    authorization,
    spans: () => spans,
    everything: () => Buffer.concat(bodies),
    close: async () => void server.close().closeAllConnections(),
  };
}

/** An OpenTelemetry Collector in a process of its own, which writes what it gets to a file. */
export async function startRealCollector(bearerToken: string): Promise<Collector> {
  const collector = await startOtelcol({ bearerToken });
  return {
    url: collector.url,
    authorization: `Bearer ${bearerToken}`,
    // the last line may not be whole yet
    spans: () => readFileSync(collector.tracesFile, 'utf8').split('\n').slice(0, -1).flatMap(spansInLine),
    everything: () => readFileSync(collector.tracesFile),
    close: () => collector.stop(),
  };
}

/** The part of OTLP's JSON that is looked at. */
interface JsonRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly { key: string; value?: { stringValue?: string } }[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly JsonSpan[] }[];
  }[];
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
}

function spansInLine(line: string): Span[] {
  const { resourceSpans = [] } = JSON.parse(line) as JsonRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = resource?.attributes?.find(one => one.key === 'service.name')?.value?.stringValue ?? '';
    return scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map(({ traceId, spanId, parentSpanId = '', name, kind = 0, status, ...time }) => ({
        ...{ service, traceId, spanId, parentId: parentSpanId, name, kind },
        failed: status?.code === FAILED,
        seconds: Number(BigInt(time.endTimeUnixNano) - BigInt(time.startTimeUnixNano)) / 1e9,
      }));
  });
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
      failed: messages(span, 15).some(status => status.get(3)?.[0] === FAILED),
      seconds: Number((span.get(8)?.[0] as bigint) - (span.get(7)?.[0] as bigint)) / 1e9,
    }));
  });
}
