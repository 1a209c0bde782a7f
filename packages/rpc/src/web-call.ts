import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Writable } from 'node:stream';
import { Call } from './call.ts';
import { decodeRequest, encodeMessage } from './codec.ts';
import type { ParleyError } from './errors.ts';
import {
  maxBodyBytes,
  readRequestFrame,
  responseTypes,
  statusFields,
  unaryBody,
  type WebEncoding,
} from './grpc-web-framing.ts';
import { type MetadataField, metadataFields, readMetadata } from './metadata.ts';
import type { RegisteredMethod } from './method.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { StreamSink } from './service.ts';
import type { WireStatus } from './status.ts';
import type { WebHeaders } from './web-headers.ts';

/** Request of HTTP/1.1 or HTTP/2; the code uses what both have. */
export type WebRequest = IncomingMessage | Http2ServerRequest;
/** Response of HTTP/1.1 or HTTP/2: what both have. */
export interface WebResponse extends Writable {
  readonly headersSent: boolean;
  /** `fields`: names and values in turn. */
  writeHead(status: number, fields: readonly string[] | Record<string, string>): unknown;
}

/** What a call needs of the listener it came by. */
export interface WebCallOwner {
  /** The whole body is there (or too large). */
  received(call: WebCall): void;
  /** The response is finished, or the client went away. */
  closed(call: WebCall): void;
  /** The reader of a stream is too slow; the stream is to be broken off. */
  overflow(call: WebCall): void;
  readonly maxQueuedBytes: number;
  /** How a refusal looks on the wire. */
  statusOf(error: ParleyError, requestId: string): WireStatus;
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

/** Bodies up to so many bytes become latin1 strings, which Node puts behind the header in one write; half the CPU. */
const joined = 16_384;

/** A call that came by gRPC-Web: unary as it is, streaming as `WebStreamCall`. */
export class WebCall extends Call {
  readonly owner: WebCallOwner;
  readonly peer: string;
  headers: WebHeaders | undefined;
  protected response: WebResponse | undefined;
  protected readonly encoding: WebEncoding;
  /** Fields for every response: CORS. */
  protected readonly extra: readonly string[];
  readonly #bodyLimit: number;
  #bodyBytes = 0;
  #body: Buffer | undefined = undefined;
  #more: Buffer[] | undefined = undefined;

  constructor(
    owner: WebCallOwner,
    method: RegisteredMethod,
    response: WebResponse,
    encoding: WebEncoding,
    extra: readonly string[],
    requestId: string,
    headers: WebHeaders,
    peer: string,
  ) {
    super(method, requestId, headers.traceparent);
    this.headers = headers;
    this.owner = owner;
    this.response = response;
    this.encoding = encoding;
    this.extra = extra;
    this.peer = peer;
    this.#bodyLimit = maxBodyBytes(encoding, method.maxRequestBytes);
  }

  /** Takes a piece of the body; returns how many bytes there are beyond the limit. */
  receive(chunk: Buffer): number {
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#bodyLimit) {
      this.#body = undefined;
      this.#more = undefined;
    } else if (this.#body === undefined) {
      this.#body = chunk;
    } else {
      this.#more ??= [this.#body];
      this.#more.push(chunk);
    }
    return this.#bodyBytes - this.#bodyLimit;
  }

  readRequest(): unknown {
    const { maxRequestBytes } = this.method;
    if (this.#bodyBytes > this.#bodyLimit) throw tooLarge(this.method);
    const body = this.#more ? Buffer.concat(this.#more) : (this.#body ?? Buffer.alloc(0));
    this.#body = undefined;
    this.#more = undefined;
    return decodeRequest(this.method, readRequestFrame(body, this.encoding, maxRequestBytes));
  }

  respond(message: unknown): void {
    const body = unaryBody(encodeMessage(this.method.output, message), this.trailerFields());
    const { response, encoding } = this;
    if (!response) return;
    const text =
      encoding === 'text' ? body.toString('base64') : body.length <= joined ? body.toString('latin1') : undefined;
    const length = String(text?.length ?? body.length);
    response.writeHead(200, [
      'content-type',
      responseTypes[encoding],
      'content-length',
      length,
      ...this.headerFields(),
    ]);
    response.end(text ?? body, 'latin1');
    this.response = undefined;
  }

  protected override readMetadata(): MetadataField[] {
    return this.headers ? readMetadata(this.headers.raw) : [];
  }

  /** What goes before the response beside its own fields: CORS, and what the handler wants to send. */
  protected headerFields(): readonly string[] {
    const metadata = this.responseMetadata;
    if (!metadata || metadata.headers.length === 0) return this.extra;
    return [...exposing(this.extra, metadata.headers), ...metadataFields(metadata.headers)];
  }

  /** What goes behind the response beside its status. */
  protected trailerFields(): readonly string[] {
    const metadata = this.responseMetadata;
    return metadata && metadata.trailers.length > 0 ? metadataFields(metadata.trailers) : none;
  }

  /** What came with the request is not needed any longer; a stream may live for hours. */
  protected forgetRequest(): void {
    this.headers = undefined;
  }

  end(): void {}

  /** Trailers-only: the refusal travels in the header fields. */
  refuse(error: ParleyError): void {
    const { response } = this;
    this.response = undefined;
    if (!response || response.headersSent) return;
    const status = this.owner.statusOf(error, this.requestId);
    const fields = ['content-type', responseTypes[this.encoding], 'content-length', '0', ...this.headerFields()];
    response.writeHead(200, [...fields, ...statusFields(status), ...this.trailerFields()]);
    response.end();
  }

  /** Nothing can be sent any longer. */
  disconnected(): void {
    this.response = undefined;
  }

  get sink(): StreamSink {
    throw new Error('a unary call has no stream');
  }
}

const none: readonly string[] = [];

/** CORS hides fields from pages of other origins unless they are named. */
function exposing(cors: readonly string[], fields: readonly MetadataField[]): string[] {
  const names = fields.map(field => `, ${field.name}`).join('');
  return cors.map((text, i) => (cors[i - 1] === 'access-control-expose-headers' ? text + names : text));
}

/** The refusal of a request beyond the method's limit. */
export function tooLarge(method: RegisteredMethod): ParleyError {
  return rpcErrors('rpc.request_too_large', { params: { limit: method.maxRequestBytes } });
}
