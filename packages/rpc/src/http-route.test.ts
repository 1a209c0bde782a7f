import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { type HttpRequest, type HttpRoute, RouteTable } from './http-route.ts';
import { createBench, testErrors } from './testing/harness.ts';
import { createWebServer } from './web-server.ts';

const base = {
  method: 'GET',
  owner: 'web',
  authentication: 'none',
  maxRequestBytes: 0,
  cacheControl: 'no-store',
} as const;
const route = (more: Partial<HttpRoute> & { path: string }): HttpRoute => ({
  ...base,
  handler: async () => ({ status: 200 }),
  ...more,
});

describe('the table of endpoints', () => {
  const table = new RouteTable([
    route({ path: '/' }),
    route({ path: '/files/*' }),
    route({ path: '/files/special/*' }),
    route({ path: '/files/one' }),
    route({ path: '/files/one', method: 'PUT' }),
  ]);

  it('finds the exact path first, then the longest beginning', () => {
    const path = (p: string) => table.find('GET', p)?.route?.path;
    assert.deepEqual(['/', '/files/one', '/files/two', '/files/special/x', '/other', '/files'].map(path), [
      '/',
      '/files/one',
      '/files/*',
      '/files/special/*',
      undefined,
      undefined,
    ]);
    assert.equal(table.find('GET', '/files/a/b')?.rest, 'a/b');
  });

  it('knows which methods a path has', () => {
    assert.deepEqual(table.find('DELETE', '/files/one')?.allow, ['GET', 'HEAD', 'PUT']);
    assert.equal(table.find('HEAD', '/files/one')?.route?.method, 'GET');
  });

  it('cannot be made with paths that are none or are there twice', () => {
    assert.throws(() => new RouteTable([route({ path: 'x' })]));
    assert.throws(() => new RouteTable([route({ path: '/a*b' })]));
    assert.throws(() => new RouteTable([route({ path: '/a' }), route({ path: '/a' })]), /twice/);
  });
});

describe('plain endpoints', () => {
  async function using(
    routes: readonly HttpRoute[],
    test: (call: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
  ) {
    const bench = createBench({});
    const server = createWebServer({
      ...bench,
      host: '127.0.0.1',
      port: 0,
      routes,
      cors: { origins: ['https://chat.example'] },
    });
    await server.start();
    try {
      await test((path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init));
    } finally {
      await server.stop();
    }
    return bench;
  }

  it('get the request and answer with text, bytes or a stream', async () => {
    let seen: HttpRequest | undefined;
    const routes = [
      route({
        path: '/echo/*',
        method: 'POST',
        maxRequestBytes: 10,
        handler: async request => {
          seen = request;
          return { status: 201, headers: { 'content-type': 'text/x' }, body: request.body };
        },
      }),
      route({ path: '/text', cacheControl: 'max-age=60', handler: async () => ({ status: 200, body: '早安' }) }),
      route({ path: '/stream', handler: async () => ({ status: 200, body: Readable.from(['a', 'b']) }) }),
    ];
    await using(routes, async call => {
      const posted = await call('/echo/a%20b?x=1&x=2', { method: 'POST', body: '0123456789' });
      assert.deepEqual(
        [posted.status, await posted.text(), posted.headers.get('content-type')],
        [201, '0123456789', 'text/x'],
      );
      assert.deepEqual([seen?.path, seen?.rest, seen?.query.getAll('x')], ['/echo/a%20b', 'a%20b', ['1', '2']]);
      assert.equal(seen?.principal.kind, 'anonymous');
      const text = await call('/text', { headers: { origin: 'https://chat.example' } });
      assert.equal(await text.text(), '早安');
      assert.equal(text.headers.get('cache-control'), 'max-age=60');
      assert.equal(text.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(text.headers.get('access-control-allow-origin'), 'https://chat.example');
      assert.equal(await (await call('/stream')).text(), 'ab');
      const head = await call('/text', { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '6', '']);
    });
  });

  it('refuse what is too large, other methods and other paths', async () => {
    await using([route({ path: '/a', method: 'PUT', maxRequestBytes: 5 }), route({ path: '/b' })], async call => {
      const large = await call('/a', { method: 'PUT', body: '123456' });
      assert.deepEqual([large.status, ((await large.json()) as { code: string }).code], [413, 'rpc.request_too_large']);
      const wrong = await call('/a');
      assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'PUT']);
      assert.equal((await call('/c')).status, 404);
      assert.equal((await call('/b/')).status, 404);
    });
  });

  it('for people need a person', async () => {
    const handler: HttpRoute['handler'] = async ({ principal }) => ({
      status: 200,
      body: principal.kind === 'person' ? principal.id : principal.kind,
    });
    await using([route({ path: '/me', authentication: 'person', handler })], async call => {
      const as = (token: string) => call('/me', { headers: { authorization: `Bearer ${token}` } });
      assert.equal(await (await as('person:p1')).text(), 'p1');
      const statuses = [
        (await call('/me')).status,
        (await as('service:im')).status,
        (await as('expired:')).status,
        (await as('new:p1')).status,
      ];
      assert.deepEqual(statuses, [401, 401, 401, 403]);
    });
  });

  it('say a refusal as JSON with the HTTP status of its kind, and nothing of what went wrong inside', async () => {
    const routes = [
      route({
        path: '/limit',
        handler: () => Promise.reject(testErrors('test.refused', { retryAfterMs: 1500, params: { limit: 3 } })),
      }),
      route({ path: '/broken', handler: () => Promise.reject(new Error('secret')) }),
    ];
    const bench = await using(routes, async call => {
      const limited = await call('/limit');
      assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '2']);
      const { code, message } = (await limited.json()) as Record<string, string>;
      assert.deepEqual([code, message], ['test.refused', 'at most 3 characters']);
      const broken = await call('/broken');
      assert.equal(broken.status, 500);
      assert.ok(!(await broken.text()).includes('secret'));
    });
    assert.equal(bench.lines.filter(line => line.event === 'rpc.http.failed').length, 1);
  });
});
