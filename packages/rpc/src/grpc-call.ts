import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import { Call } from './call.ts';
import { decodeRequest, encodeMessage } from './codec.ts';
import type { ParleyError } from './errors.ts';
import { isMetadata, type MetadataField } from './metadata.ts';
import type { RegisteredMethod } from './method.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { StreamSink } from './service.ts';

type Source = ServerUnaryCall<Buffer, Uint8Array> | ServerWritableStream<Buffer, Uint8Array>;

/** A call that came by native gRPC. */
abstract class GrpcCall extends Call {
  protected readonly registry: Registry;
  /** Without the port, which says nothing and would make every connection a caller of its own. */
  readonly peer: string;
  #request: Buffer | undefined;
  readonly #fields: Metadata;

  constructor(registry: Registry, method: RegisteredMethod, source: Source) {
    const { metadata } = source;
    const given = metadata.get('x-request-id')[0] as string | undefined;
    const requestId = given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : registry.nextRequestId();
    super(method, requestId, metadata.get('traceparent')[0] as string | undefined);
    this.registry = registry;
    const peer = source.getPeer();
    this.peer = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))) || peer;
    this.#request = source.request;
    this.#fields = metadata;
  }

  protected override readMetadata(): MetadataField[] {
    const fields: MetadataField[] = [];
    for (const [name, values] of Object.entries(this.#fields.toJSON())) {
      if (isMetadata(name)) for (const value of values) fields.push({ name, value });
    }
    return fields;
  }

  /** What the handler wants to send before the response; undefined when there is nothing. */
  protected headerMetadata(): Metadata | undefined {
    return asMetadata(this.responseMetadata?.headers);
  }

  /** What the handler wants to send after the response; undefined when there is nothing. */
  protected trailerMetadata(): Metadata | undefined {
    return asMetadata(this.responseMetadata?.trailers);
  }

  readRequest(): unknown {
    const request = this.#request as Buffer;
    this.#request = undefined;
    const { maxRequestBytes } = this.method;
    if (request.length > maxRequestBytes) {
      throw rpcErrors('rpc.request_too_large', { params: { limit: maxRequestBytes } });
    }
    return decodeRequest(this.method, request);
  }

  protected wireError(error: ParleyError) {
    const { code, message, details } = this.registry.statusOf(error, this.requestId);
    const metadata = this.trailerMetadata() ?? new Metadata();
    if (details.length > 0) metadata.set('grpc-status-details-bin', asBuffer(details));
    return Object.assign(new Error(message), { code, details: message, metadata });
  }
}

/** A unary call by native gRPC. */
export class GrpcUnaryCall extends GrpcCall {
  readonly #source: ServerUnaryCall<Buffer, Uint8Array>;
  readonly #callback: sendUnaryData<Uint8Array>;

  constructor(
    registry: Registry,
    method: RegisteredMethod,
    source: ServerUnaryCall<Buffer, Uint8Array>,
    callback: sendUnaryData<Uint8Array>,
  ) {
    super(registry, method, source);
    this.#source = source;
    this.#callback = callback;
  }

  respond(message: unknown): void {
    const bytes = asBuffer(encodeMessage(this.method.output, message));
    this.#sendHeaders();
    this.#callback(null, bytes, this.trailerMetadata());
  }

  #sendHeaders(): void {
    const headers = this.headerMetadata();
    if (headers) this.#source.sendMetadata(headers);
  }

  end(): void {}

  refuse(error: ParleyError): void {
    this.#sendHeaders();
    this.#callback(this.wireError(error));
  }

  get sink(): StreamSink {
    throw new Error('a unary call has no stream');
  }
}

/** A server stream by native gRPC. */
export class GrpcStreamCall extends GrpcCall implements StreamSink {
  readonly #source: ServerWritableStream<Buffer, Uint8Array>;
  readonly #maxQueuedBytes: number;
  #queuedBytes = 0;
  #started = false;
  #drained: (() => void)[] | undefined = undefined;

  constructor(
    registry: Registry,
    method: RegisteredMethod,
    source: ServerWritableStream<Buffer, Uint8Array>,
    maxQueuedBytes: number,
  ) {
    super(registry, method, source);
    this.#source = source;
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  get sink(): StreamSink {
    return this;
  }

  send(message: unknown): void {
    if (!this.finished) this.sendEncoded(encodeMessage(this.method.output, message));
  }

  sendEncoded(bytes: Uint8Array): void {
    if (this.finished) return;
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > this.#maxQueuedBytes) {
      return this.registry.refuse(this, rpcErrors('rpc.slow_reader'));
    }
    this.#sendHeaders();
    this.#source.write(asBuffer(bytes), () => {
      this.#queuedBytes -= bytes.length;
      if (this.#queuedBytes === 0 && this.#drained) for (const listener of this.#drained) listener();
    });
  }

  #sendHeaders(): void {
    if (this.#started) return;
    this.#started = true;
    const headers = this.headerMetadata();
    if (headers) this.#source.sendMetadata(headers);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  onDrain(listener: () => void): void {
    this.#drained ??= [];
    this.#drained.push(listener);
  }

  respond(): void {}

  end(): void {
    this.#sendHeaders();
    this.#source.end(this.trailerMetadata());
  }

  refuse(error: ParleyError): void {
    this.#sendHeaders();
    this.#source.emit('error', this.wireError(error));
  }
}

function asMetadata(fields: readonly MetadataField[] | undefined): Metadata | undefined {
  if (fields === undefined || fields.length === 0) return undefined;
  const metadata = new Metadata();
  for (const { name, value } of fields) metadata.add(name, typeof value === 'string' ? value : asBuffer(value));
  return metadata;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
