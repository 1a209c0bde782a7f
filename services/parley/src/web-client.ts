import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpRequest, HttpResponse, HttpRoute } from '@parley/rpc';

/** Where `make web` puts the web client. */
const DIST = fileURLToPath(new URL('../../../clients/web/dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const YEAR = 'public, max-age=31536000, immutable';
/** Stands in the page where each answer has a value of its own (clients/web/vite.config.ts). */
const NONCE = /PARLEY-CSP-NONCE/g;

const MISSING = `The web client is not built yet. In the directory of Parley run:

  make web

then load this page again.
`;

/** A file of the web client, as it is and compressed. */
interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly br?: Buffer;
  readonly gz?: Buffer;
}

/** A build of the web client. */
interface Build {
  readonly builtMs: number;
  readonly page: string;
  /** By name, with `/` between folders. */
  readonly assets: ReadonlyMap<string, Asset>;
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Nothing but this origin; no frames; scripts only from files; styles from files and of this answer's page. */
const policy = (nonce: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');

/** Serves the web client: its page at `/` and for links to conversations, its files for ever. */
export function webClientRoutes(dist: string = DIST): readonly HttpRoute[] {
  let loading: Promise<Build | undefined> | undefined;

  /** The build on disk; read once, and again when there is a newer one. */
  async function current(): Promise<Build | undefined> {
    const before = await loading;
    const file = await stat(join(dist, 'index.html')).catch(() => undefined);
    if (file?.mtimeMs !== before?.builtMs) loading = file ? load(dist, file.mtimeMs) : undefined;
    return loading;
  }

  async function page(): Promise<HttpResponse> {
    const build = await current();
    if (!build)
      return { status: 503, headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }, body: MISSING };
    const nonce = randomBytes(16).toString('base64');
    return {
      status: 200,
      headers: { ...HEADERS, 'content-type': TYPES['.html'] as string, 'content-security-policy': policy(nonce) },
      body: build.page.replaceAll(NONCE, nonce),
    };
  }

  async function asset(name: string, request: HttpRequest, cacheControl?: string): Promise<HttpResponse> {
    const found = (await (loading ?? current()))?.assets.get(name);
    if (!found) return { status: 404, headers: { 'cache-control': 'no-store' } };
    const { type, bytes, br, gz } = found;
    const accepted = request.headers['accept-encoding'] ?? '';
    const [encoding, body] =
      br && /\bbr\b/.test(accepted) ? ['br', br] : gz && /\bgzip\b/.test(accepted) ? ['gzip', gz] : [undefined, bytes];
    return {
      status: 200,
      headers: {
        ...HEADERS,
        'content-type': type,
        vary: 'accept-encoding',
        ...(encoding !== undefined && { 'content-encoding': encoding }),
        ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
      },
      body,
    };
  }

  const route = (path: string, cacheControl: string, handler: HttpRoute['handler']): HttpRoute => ({
    method: 'GET',
    path,
    owner: 'directory',
    authentication: 'none',
    maxRequestBytes: 0,
    cacheControl,
    handler,
  });
  return [
    route('/', 'no-cache', page),
    route('/c/*', 'no-cache', page),
    route('/assets/*', 'no-cache', request => asset(`assets/${request.rest}`, request, YEAR)),
    route('/favicon.svg', 'public, max-age=86400', request => asset('favicon.svg', request)),
  ];
}

async function load(dist: string, builtMs: number): Promise<Build> {
  const names = (await readdir(dist, { recursive: true })).map(name => name.replaceAll('\\', '/'));
  const here = new Set(names);
  const read = (name: string) => readFile(join(dist, name));
  const assets = new Map<string, Asset>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined || name === 'index.html') continue;
    assets.set(name, {
      type,
      bytes: await read(name),
      ...(here.has(`${name}.br`) && { br: await read(`${name}.br`) }),
      ...(here.has(`${name}.gz`) && { gz: await read(`${name}.gz`) }),
    });
  }
  return { builtMs, page: (await read('index.html')).toString('utf8'), assets };
}
