import type { Readable } from 'node:stream';
import type { Principal } from './context.ts';

/** A plain HTTP endpoint of the public listener, as the table of endpoints names it. */
export interface HttpRoute {
  /** GET also answers HEAD. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/exactly/this`, or `/everything/below/*`. */
  readonly path: string;
  /** Service that owns it; load balancers route to it. */
  readonly owner: string;
  /** `person`: a person's bearer token is needed. */
  readonly authentication: 'none' | 'person';
  /** Largest body, bytes; 0: a body is refused. */
  readonly maxRequestBytes: number;
  /** `cache-control` of answers that do not set it, for example `no-store`. */
  readonly cacheControl: string;
  readonly handler: (request: HttpRequest) => Promise<HttpResponse>;
}

/** A request of a plain HTTP endpoint. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query, as it was sent (percent signs are not decoded). */
  readonly path: string;
  /** What `*` stands for; empty for exact paths. */
  readonly rest: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly principal: Principal;
  readonly peer: string;
  readonly requestId: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Answer of a plain HTTP endpoint. */
export interface HttpResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | Readable;
}

/** Finds the route of a request. */
export class RouteTable {
  readonly #exact = new Map<string, Map<string, HttpRoute>>();
  readonly #below: { readonly prefix: string; readonly byMethod: Map<string, HttpRoute> }[] = [];

  constructor(routes: readonly HttpRoute[]) {
    for (const route of routes) {
      const open = route.path.endsWith('/*');
      if (!route.path.startsWith('/') || (open ? route.path.slice(0, -1) : route.path).includes('*')) {
        throw new Error(`${route.path} is not a path`);
      }
      const methods = open ? this.#prefix(route.path.slice(0, -1)) : this.#path(route.path);
      if (methods.has(route.method)) throw new Error(`${route.method} ${route.path} is there twice`);
      methods.set(route.method, route);
    }
    this.#below.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  #path(path: string): Map<string, HttpRoute> {
    const found = this.#exact.get(path) ?? new Map<string, HttpRoute>();
    this.#exact.set(path, found);
    return found;
  }

  #prefix(prefix: string): Map<string, HttpRoute> {
    const found = this.#below.find(entry => entry.prefix === prefix);
    if (found) return found.byMethod;
    const byMethod = new Map<string, HttpRoute>();
    this.#below.push({ prefix, byMethod });
    return byMethod;
  }

  /** The route and what its `*` stands for; with methods only when the path exists for other methods. */
  find(method: string, path: string): { route?: HttpRoute; rest: string; allow: readonly string[] } | undefined {
    const exact = this.#exact.get(path);
    const below = exact ? undefined : this.#below.find(entry => path.startsWith(entry.prefix));
    const byMethod = exact ?? below?.byMethod;
    if (!byMethod) return undefined;
    const allow = [...byMethod.keys()].flatMap(name => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
    const route = byMethod.get(method === 'HEAD' ? 'GET' : method);
    return { ...(route ? { route } : {}), rest: below ? path.slice(below.prefix.length) : '', allow };
  }
}
