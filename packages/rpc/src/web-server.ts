import { createServer, type Server } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger, Metrics, Module, TlsSource } from '@parley/runtime';
import type { CorsOptions } from './cors.ts';
import type { HttpRoute } from './http-route.ts';
import type { Registry } from './registry.ts';
import { asTlsSource, type ServerTls, secureContextOf } from './tls.ts';
import { WebHandler } from './web-handler.ts';

/** Settings of {@link createWebServer}. Times in milliseconds. */
export interface WebServerOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly host: string;
  /** 0: any free port, see {@link WebServer.port}. */
  readonly port: number;
  readonly cors?: CorsOptions;
  readonly routes?: readonly HttpRoute[];
  /** Serves HTTP/2 and HTTP/1.1 over TLS, 1.2 or newer. */
  readonly tls?: ServerTls;
  /**
   * With `tls`: how long browsers are to come back with TLS only (`strict-transport-security`, RFC 6797), seconds;
   * default 0, which says nothing.
   */
  readonly hstsSeconds?: number;
  /** Serves HTTP/2 without TLS, for a load balancer in front; no HTTP/1.1 then. Default false. */
  readonly cleartextHttp2?: boolean;
  /** Whether a load balancer of ours is in front, whose `x-forwarded-for` and `x-request-id` are true. Default false. */
  readonly trustProxy?: boolean;
  /** Connections at once, default 50,000. */
  readonly maxConnections?: number;
  /** How long the header of a request may take to arrive, default 10,000. */
  readonly headersTimeoutMs?: number;
  /** How long a whole request may take to arrive, default 30,000. */
  readonly requestTimeoutMs?: number;
  /** How long a connection may stay unused, default 75,000. */
  readonly keepAliveTimeoutMs?: number;
  /** How long `stop` waits for calls under way, default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Past so many bytes that a reader has not taken, his stream is broken off. Default 8 MiB. */
  readonly maxQueuedBytes?: number;
}

/** The public listener. */
export interface WebServer extends Module {
  /** Port it listens on, once started. */
  readonly port: number;
}

/** gRPC-Web and plain HTTP on one port. */
export function createWebServer(options: WebServerOptions): WebServer {
  return new Listener(options);
}

type AnyServer = Server | Http2Server | Http2SecureServer;

class Listener implements WebServer {
  readonly name = 'web-server';
  readonly #o: WebServerOptions;
  readonly #handler: WebHandler;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Connections over TLS, which Node's server for both versions of HTTP cannot close by itself. */
  readonly #secured = new Set<TLSSocket>();
  #server: AnyServer | undefined = undefined;
  #stopping: Promise<void> | undefined = undefined;

  constructor(options: WebServerOptions) {
    this.#o = options;
    this.#handler = new WebHandler(options);
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    if (!address) throw new Error('the web server does not listen');
    return address.port;
  }

  async start(): Promise<void> {
    const server = this.#create();
    server.on('request', this.#handler.handle as never);
    (server as Server).maxConnections = this.#o.maxConnections ?? 50_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.#o.host, port: this.#o.port, backlog: 2048 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#server = server;
    this.#o.logger.info('rpc.web.listening', { host: this.#o.host, port: this.port });
  }

  #create(): AnyServer {
    const { tls, cleartextHttp2 } = this.#o;
    if (!tls && !cleartextHttp2)
      return this.#tuned(
        createServer({
          ...this.#timeouts(),
          maxHeaderSize: 16_384,
          keepAlive: true,
          keepAliveInitialDelay: 30_000,
          noDelay: true,
        }),
      );
    const settings = { settings: { maxConcurrentStreams: 256, maxHeaderListSize: 16_384 }, maxSessionMemory: 16 };
    const server = tls ? this.#createSecure(asTlsSource(tls), settings) : createHttp2Server(settings);
    server.on('session', session => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      closeWhenIdle(session, this.#o.keepAliveTimeoutMs ?? 75_000);
    });
    return server;
  }

  /** Connections that are open keep the certificate they began with; new ones get the renewed one. */
  #createSecure(source: TlsSource, settings: object): Http2SecureServer {
    const context = secureContextOf(source.current);
    const server = createSecureServer({ ...settings, ...this.#timeouts(), ...context, allowHTTP1: true });
    const forget = source.onChange(next => server.setSecureContext(secureContextOf(next)));
    server.once('close', forget);
    server.on('secureConnection', socket => {
      this.#secured.add(socket);
      socket.once('close', () => this.#secured.delete(socket));
    });
    return server;
  }

  #timeouts() {
    return {
      headersTimeout: this.#o.headersTimeoutMs ?? 10_000,
      requestTimeout: this.#o.requestTimeoutMs ?? 30_000,
      keepAliveTimeout: this.#o.keepAliveTimeoutMs ?? 75_000,
      connectionsCheckingInterval: Math.min(5000, this.#o.headersTimeoutMs ?? 10_000),
    };
  }

  #tuned(server: Server): Server {
    server.maxHeadersCount = 100;
    server.timeout = 0;
    return server;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Takes no new connections and calls, ends streams, waits for unary calls, then closes what is left. */
  async #stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    this.#handler.stop();
    for (const session of this.#sessions) session.close();
    if ('closeIdleConnections' in server) server.closeIdleConnections();
    const timer = this.#o.clock.timer(this.#o.stopTimeoutMs ?? 10_000, () => this.#destroy(server));
    await this.#handler.idle();
    // What is left has sent no request, or half of one.
    if ('closeAllConnections' in server) server.closeAllConnections();
    for (const socket of this.#secured) socket.destroySoon();
    await closed;
    timer.cancel();
  }

  #destroy(server: AnyServer): void {
    this.#o.logger.warn('rpc.web.stop_forced', { calls: this.#handler.calls, streams: this.#handler.streams });
    for (const session of this.#sessions) session.destroy();
    if ('closeAllConnections' in server) server.closeAllConnections();
    for (const socket of this.#secured) socket.destroy();
    this.#handler.destroyStreams();
  }
}

/** HTTP/2 sessions without streams are closed after a while; those with streams live on, however silent. */
function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let streams = 0;
  session.on('stream', stream => {
    streams++;
    stream.once('close', () => streams--);
  });
  session.setTimeout(idleMs, () => {
    if (streams === 0) session.close();
  });
}
