import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { Module } from './module.ts';
import type { TlsMaterial } from './tls/read-tls-files.ts';
import type { TlsSource } from './tls/watch-tls-files.ts';

/** Settings of {@link createAdminServer}. */
export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free port, see {@link AdminServer.port}. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Serves over TLS (1.2 or newer). With authorities, callers must show a certificate of theirs. */
  readonly tls?: TlsSource;
}

/** The listener for whoever operates the process. */
export interface AdminServer extends Module {
  /** Port it listens on, once started. */
  readonly port: number;
}

/** Against slow or greedy clients: milliseconds and bytes. */
const limits = { headersTimeout: 5000, requestTimeout: 10_000, maxHeaderSize: 8192 };

/**
 * `/livez` (200 as long as the event loop turns), `/readyz` (200 or 503, JSON with every check) and `/metrics`
 * (Prometheus text); nothing else. Shows nothing of people; to be reached from inside only.
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  let server: Server | TlsServer | undefined;
  let forget: (() => void) | undefined;
  return {
    name: 'admin-server',
    get port() {
      const address = server?.address() as AddressInfo | null | undefined;
      if (!address) throw new Error('the admin server does not listen');
      return address.port;
    },
    async start() {
      const handle = (request: IncomingMessage, response: ServerResponse) => {
        request.resume();
        answer(options, request.method ?? '', request.url ?? '').then(
          ({ status, type, body }) =>
            response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
          () => response.writeHead(500).end(),
        );
      };
      const { tls } = options;
      const listening = tls
        ? createTlsServer({ ...limits, ...contextOf(tls.current) }, handle)
        : createServer(limits, handle);
      forget = tls?.onChange(next => (listening as TlsServer).setSecureContext(contextOf(next)));
      listening.maxConnections = 100;
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject);
        listening.listen(options.port, options.host, () => {
          listening.off('error', reject);
          resolve();
        });
      });
      server = listening;
    },
    async stop() {
      const closing = server;
      server = undefined;
      forget?.();
      if (!closing) return;
      closing.closeAllConnections();
      await new Promise(resolve => closing.close(resolve));
    },
  };
}

const contextOf = ({ cert, key, ca }: TlsMaterial) => ({
  cert,
  key,
  minVersion: 'TLSv1.2' as const,
  ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

async function answer({ health, metrics }: AdminServerOptions, method: string, url: string): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'only GET\n' };
  switch (url.split('?')[0]) {
    case '/livez':
      return { status: 200, type: JSON_TYPE, body: '{"ok":true}\n' };
    case '/readyz': {
      const report = health.ready();
      return { status: report.ok ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(report)}\n` };
    }
    case '/metrics':
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await metrics.render() };
    default:
      return { status: 404, type: 'text/plain', body: 'here are /livez, /readyz and /metrics\n' };
  }
}
