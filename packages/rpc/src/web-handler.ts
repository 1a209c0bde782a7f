import { constants, type Http2ServerRequest } from 'node:http2';
import { bearerToken } from './authenticator.ts';
import { type Cors, createCors } from './cors.ts';
import { parseGrpcTimeout } from './deadline.ts';
import type { ParleyError } from './errors.ts';
import { responseTypes, statusFields, type WebEncoding, webEncoding } from './grpc-web-framing.ts';
import type { RegisteredMethod } from './method.ts';
import { peerOf } from './peer.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError } from './status.ts';
import { tooLarge, WebCall, type WebCallOwner, type WebRequest, type WebResponse } from './web-call.ts';
import { WebHeaders } from './web-headers.ts';
import { refusePlainly, WebRoutes } from './web-routes.ts';
import type { WebServerOptions } from './web-server.ts';
import { WebStreamCall } from './web-stream-call.ts';

const kCall = Symbol('call');
type Carrier = { [kCall]?: WebCall | undefined };

/** What a too large body may have beyond its limit before the connection is cut instead of read to its end, bytes. */
const tolerated = 1024 * 1024;

/** Turns HTTP requests into calls. The listeners are shared functions, so a call allocates no closures here. */
export class WebHandler implements WebCallOwner {
  readonly maxQueuedBytes: number;
  readonly now: () => number;
  readonly statusOf: Registry['statusOf'];
  readonly #registry: Registry;
  readonly #cors: Cors;
  readonly #routes: WebRoutes;
  readonly #trustProxy: boolean;
  readonly #requestTimeoutMs: number;
  readonly #streams = new Set<WebStreamCall>();
  #active = 0;
  #stopping = false;
  #whenIdle: (() => void) | undefined = undefined;

  constructor(options: WebServerOptions) {
    this.maxQueuedBytes = options.maxQueuedBytes ?? 8 * 1024 * 1024;
    this.now = () => options.clock.now();
    this.#registry = options.registry;
    this.statusOf = options.registry.statusOf;
    this.#cors = createCors(options.cors ?? { origins: [] });
    this.#trustProxy = options.trustProxy ?? false;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#routes = new WebRoutes(options, this.#cors);
  }

  readonly handle = (request: WebRequest, response: WebResponse): void => {
    const method = this.#registry.find(request.url as string);
    // Methods for services are not here, whoever asks.
    if (method !== undefined && method.audience !== 'service') {
      if (request.method === 'POST') return this.#rpc(method, request, response);
      if (request.method !== 'OPTIONS') return this.#routes.wrongMethod(request, response, ['POST', 'OPTIONS']);
    }
    if (this.#routes.handle(request, response)) return;
    const headers = new WebHeaders(request.rawHeaders);
    const encoding = request.method === 'POST' ? webEncoding(headers.contentType) : undefined;
    if (encoding === undefined) return this.#routes.notFound(request, response);
    this.#registry.countUnknown();
    this.#refuseUnread(rpcErrors('rpc.unknown_method'), request, response, headers, encoding);
  };

  /** Trailers-only, for requests that do not become calls. */
  #refuseUnread(
    error: ParleyError,
    request: WebRequest,
    response: WebResponse,
    headers: WebHeaders,
    encoding: WebEncoding,
  ): void {
    const status = this.statusOf(error, this.#requestId(headers));
    const fields = ['content-type', responseTypes[encoding], 'content-length', '0', ...statusFields(status)];
    if (error.code === 'rpc.unsupported_encoding') fields.push('grpc-accept-encoding', 'identity');
    request.resume();
    response.writeHead(200, [...fields, ...this.#cors.fields(headers.origin)]);
    response.end();
  }

  #rpc(method: RegisteredMethod, request: WebRequest, response: WebResponse): void {
    const headers = new WebHeaders(request.rawHeaders);
    const extra = this.#cors.fields(headers.origin);
    const encoding = webEncoding(headers.contentType);
    const compressed = headers.contentEncoding !== undefined && headers.contentEncoding !== 'identity';
    const requestId = this.#requestId(headers);
    if (encoding === undefined || compressed) {
      request.resume();
      return refusePlainly(response, 415, rpcErrors('rpc.unsupported_content_type'), requestId, extra);
    }
    if (headers.encoding !== undefined && headers.encoding !== 'identity') {
      return this.#refuseUnread(rpcErrors('rpc.unsupported_encoding'), request, response, headers, encoding);
    }
    if (this.#stopping) {
      return this.#refuseUnread(rpcErrors('rpc.shutting_down'), request, response, headers, encoding);
    }
    const peer = peerOf(request, this.#trustProxy ? headers.forwardedFor : undefined);
    const Kind = method.streaming ? WebStreamCall : WebCall;
    const call = new Kind(this, method, response, encoding, extra, requestId, headers, peer);
    if (call instanceof WebStreamCall) this.#streams.add(call);
    this.#active++;
    (request as Carrier)[kCall] = call;
    (response as Carrier)[kCall] = call;
    request.on('data', onData);
    request.on('end', onEnd);
    response.on('close', onClose);
    if (request.httpVersionMajor > 1) this.#guardHttp2(request as Http2ServerRequest, response);
  }

  /** HTTP/1.1 has limits of its own for slow requests; here the stream gets one until the request is there. */
  #guardHttp2(request: Http2ServerRequest, response: WebResponse): void {
    const { stream } = request;
    response.on('error', ignore);
    stream.setTimeout(this.#requestTimeoutMs, () => stream.close(constants.NGHTTP2_CANCEL));
    request.once('end', () => stream.setTimeout(0));
  }

  #requestId(headers: WebHeaders): string {
    const given = this.#trustProxy ? headers.requestId : undefined;
    return given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : this.#registry.nextRequestId();
  }

  received(call: WebCall): void {
    const { timeout, authorization } = call.headers as WebHeaders;
    try {
      const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout);
      this.#registry.start(call, bearerToken(authorization), undefined, timeoutMs);
    } catch (error) {
      this.#registry.refuse(call, asParleyError(error));
    }
  }

  closed(call: WebCall): void {
    call.disconnected();
    this.#registry.cancel(call);
    if (call instanceof WebStreamCall) this.#streams.delete(call);
    if (--this.#active === 0) this.#whenIdle?.();
  }

  tooLarge(call: WebCall): void {
    this.#registry.refuse(call, tooLarge(call.method));
  }

  overflow(call: WebCall): void {
    (call as WebStreamCall).destroy();
    this.#registry.refuse(call, rpcErrors('rpc.slow_reader'));
  }

  /** Calls under way, streams among them. */
  get calls(): number {
    return this.#active;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** From now on refuses new calls; ends the streams that are open. */
  stop(): void {
    this.#stopping = true;
    for (const stream of this.#streams) this.#registry.refuse(stream, rpcErrors('rpc.shutting_down'));
  }

  /** Cuts the streams that did not end. */
  destroyStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.#active > 0) {
      await new Promise<void>(resolve => {
        this.#whenIdle = resolve;
      });
    }
  }
}

function onData(this: Carrier & WebRequest, chunk: Buffer): void {
  const call = this[kCall] as WebCall;
  if (call.receive(chunk) <= tolerated) return;
  (call.owner as WebHandler).tooLarge(call);
  this.destroy();
}

function onEnd(this: Carrier & WebRequest): void {
  const call = this[kCall] as WebCall;
  call.owner.received(call);
}

function onClose(this: Carrier): void {
  const call = this[kCall];
  this[kCall] = undefined;
  if (call) call.owner.closed(call);
}

/** Broken connections show as `close`. */
function ignore(): void {}
