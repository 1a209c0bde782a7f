import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import { Call } from './call.ts';
import { decodeRequest, encodeMessage } from './codec.ts';
import type { ParleyError } from './errors.ts';
import type { RegisteredMethod } from './method.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { StreamSink } from './service.ts';
import { errorToStatus } from './status.ts';

type Source = ServerUnaryCall<Buffer, Uint8Array> | ServerWritableStream<Buffer, Uint8Array>;

/** A call that came by native gRPC. */
abstract class GrpcCall extends Call {
  protected readonly registry: Registry;
  /** Without the port, which says nothing and would make every connection a caller of its own. */
  readonly peer: string;
  #request: Buffer | undefined;

  constructor(registry: Registry, method: RegisteredMethod, source: Source) {
    const { metadata } = source;
    const given = metadata.get('x-request-id')[0] as string | undefined;
    const requestId = given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : registry.nextRequestId();
    super(method, requestId, metadata.get('traceparent')[0] as string | undefined);
    this.registry = registry;
    const peer = source.getPeer();
    this.peer = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))) || peer;
    this.#request = source.request;
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
    const { code, message, details } = errorToStatus(error, this.requestId);
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(details.buffer, details.byteOffset, details.length));
    return Object.assign(new Error(message), { code, details: message, metadata });
  }
}

/** A unary call by native gRPC. */
export class GrpcUnaryCall extends GrpcCall {
  readonly #callback: sendUnaryData<Uint8Array>;

  constructor(
    registry: Registry,
    method: RegisteredMethod,
    source: ServerUnaryCall<Buffer, Uint8Array>,
    callback: sendUnaryData<Uint8Array>,
  ) {
    super(registry, method, source);
    this.#callback = callback;
  }

  respond(message: unknown): void {
    this.#callback(null, asBuffer(encodeMessage(this.method.output, message)));
  }

  end(): void {}

  refuse(error: ParleyError): void {
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
    this.#source.write(asBuffer(bytes), () => {
      this.#queuedBytes -= bytes.length;
      if (this.#queuedBytes === 0 && this.#drained) for (const listener of this.#drained) listener();
    });
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
    this.#source.end();
  }

  refuse(error: ParleyError): void {
    this.#source.emit('error', this.wireError(error));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
