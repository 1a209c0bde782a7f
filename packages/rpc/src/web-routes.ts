import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '@parley/runtime';
import { bearerToken } from './authenticator.ts';
import { anonymous, type Principal, personIn } from './context.ts';
import type { Cors } from './cors.ts';
import type { ErrorKind, ParleyError } from './errors.ts';
import { type HttpResponse, type HttpRoute, RouteTable } from './http-route.ts';
import { peerOf } from './peer.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError } from './status.ts';
import type { WebRequest, WebResponse } from './web-call.ts';

/** What the plain endpoints need. */
export interface WebRoutesOptions {
  readonly registry: Registry;
  readonly logger: Logger;
  readonly routes?: readonly HttpRoute[];
  readonly trustProxy?: boolean;
  readonly tls?: unknown;
  readonly hstsSeconds?: number;
}

/** HTTP status of a refusal at a plain endpoint. */
const httpStatus: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  exists: 409,
  conflict: 409,
  precondition: 412,
  limit: 429,
  unavailable: 503,
  unknown: 500,
  deadline: 504,
  cancelled: 499,
  unimplemented: 501,
  internal: 500,
};

/** Serves the table of plain HTTP endpoints, and refuses what is nobody's. */
export class WebRoutes {
  readonly #o: WebRoutesOptions;
  readonly #cors: Cors;
  readonly #table: RouteTable;
  readonly #always: Readonly<Record<string, string>>;

  constructor(options: WebRoutesOptions, cors: Cors) {
    this.#o = options;
    this.#cors = cors;
    this.#table = new RouteTable(options.routes ?? []);
    const { tls, hstsSeconds = 0 } = options;
    this.#always = {
      'x-content-type-options': 'nosniff',
      ...(tls !== undefined && hstsSeconds > 0 && { 'strict-transport-security': `max-age=${hstsSeconds}` }),
    };
  }

  /** Whether the request was a preflight or one of the table's. */
  handle(request: WebRequest, response: WebResponse): boolean {
    if (request.method === 'OPTIONS') {
      this.#preflight(request, response);
      return true;
    }
    const [path, query] = split(request.url as string);
    const found = this.#table.find(request.method as string, path);
    if (!found) return false;
    if (!found.route) this.wrongMethod(request, response, found.allow);
    else void this.#serve(found.route, path, found.rest, query, request, response);
    return true;
  }

  #preflight(request: WebRequest, response: WebResponse): void {
    request.resume();
    const fields = this.#cors.preflight(request.headers.origin);
    if (fields) response.writeHead(204, ['content-length', '0', ...fields]);
    else response.writeHead(403, ['content-length', '0']);
    response.end();
  }

  async #serve(
    route: HttpRoute,
    path: string,
    rest: string,
    query: string,
    request: WebRequest,
    response: WebResponse,
  ): Promise<void> {
    const requestId = this.#o.registry.nextRequestId();
    const controller = new AbortController();
    response.on('error', () => {});
    response.on('close', () => controller.abort(rpcErrors('rpc.cancelled')));
    try {
      const principal = await this.#authenticate(route, request);
      const body = await readBody(request, route.maxRequestBytes);
      const answer = await route.handler({
        method: request.method as string,
        path,
        rest,
        query: new URLSearchParams(query),
        headers: request.headers as Record<string, string | undefined>,
        body,
        principal,
        peer: peerOf(request, this.#o.trustProxy ? String(request.headers['x-forwarded-for'] ?? '') : undefined),
        requestId,
        signal: controller.signal,
      });
      await this.#answer(route, answer, request, response);
    } catch (thrown) {
      if (controller.signal.aborted) return;
      const error = asParleyError(thrown);
      if (error.kind === 'internal') {
        this.#o.logger.error('rpc.http.failed', { path: route.path, requestId, err: error.cause ?? error });
      }
      const status = error.code === 'rpc.request_too_large' ? 413 : httpStatus[error.kind];
      request.resume();
      if (response.headersSent) response.destroy();
      else refusePlainly(response, status, error, requestId, this.#cors.fields(request.headers.origin));
    }
  }

  async #authenticate(route: HttpRoute, request: WebRequest): Promise<Principal> {
    if (route.authentication === 'none') return anonymous;
    const bearer = bearerToken(request.headers.authorization);
    const person = personIn(await this.#o.registry.authenticate(bearer, undefined));
    if (!person) throw rpcErrors('rpc.unauthenticated');
    if (person.passwordChangeRequired) throw rpcErrors('rpc.password_change_required');
    return person;
  }

  async #answer(route: HttpRoute, answer: HttpResponse, request: WebRequest, response: WebResponse): Promise<void> {
    const { body } = answer;
    const fields: Record<string, string> = {
      'cache-control': route.cacheControl,
      ...this.#always,
      ...answer.headers,
    };
    const cors = this.#cors.fields(request.headers.origin);
    for (let i = 0; i + 1 < cors.length; i += 2) fields[cors[i] as string] = cors[i + 1] as string;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (!(bytes instanceof Readable)) fields['content-length'] = String(bytes?.length ?? 0);
    response.writeHead(answer.status, fields);
    if (request.method === 'HEAD' || bytes === undefined) {
      if (bytes instanceof Readable) bytes.destroy();
      response.end();
    } else if (bytes instanceof Readable) {
      await pipeline(bytes, response);
    } else {
      response.end(bytes);
    }
  }

  wrongMethod(request: WebRequest, response: WebResponse, allow: readonly string[]): void {
    request.resume();
    response.writeHead(405, ['content-length', '0', 'allow', allow.join(', ')]);
    response.end();
  }

  notFound(request: WebRequest, response: WebResponse): void {
    request.resume();
    response.writeHead(404, ['content-length', '0', ...this.#cors.fields(request.headers.origin)]);
    response.end();
  }
}

function split(url: string): [path: string, query: string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

async function readBody(request: WebRequest, limit: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > limit) throw rpcErrors('rpc.request_too_large', { params: { limit } });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A refusal to somebody who may not speak gRPC-Web: status and a JSON object with code, message and request id. RFC 9457 */
export function refusePlainly(
  response: WebResponse,
  status: number,
  error: ParleyError,
  requestId: string,
  extra: readonly string[],
): void {
  const body = Buffer.from(JSON.stringify({ code: error.code, message: error.message, requestId }));
  const retry = error.retryAfterMs ? ['retry-after', String(Math.ceil(error.retryAfterMs / 1000))] : [];
  const fields = [
    'content-type',
    'application/problem+json',
    'content-length',
    String(body.length),
    ...retry,
    ...extra,
  ];
  response.writeHead(status, fields);
  response.end(body);
}
