import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { HttpRequest, HttpResponse } from '@parley/rpc';
import { webClientRoutes } from './web-client.ts';

const textOf = ({ body }: HttpResponse) => (typeof body === 'string' ? body : Buffer.from(body as Buffer).toString());

describe('the web client on the public port', () => {
  let dist: string;
  let routes: ReturnType<typeof webClientRoutes>;
  beforeEach(() => {
    dist = mkdtempSync(join(tmpdir(), 'parley-web-'));
    routes = webClientRoutes(dist);
  });
  afterEach(() => rmSync(dist, { recursive: true }));

  function build(page: string, script: string): void {
    mkdirSync(join(dist, 'assets'), { recursive: true });
    writeFileSync(join(dist, 'assets', script), 'plain');
    writeFileSync(join(dist, 'assets', `${script}.br`), 'brotli');
    writeFileSync(join(dist, 'assets', `${script}.gz`), 'gzip');
    writeFileSync(join(dist, 'favicon.svg'), '<svg/>');
    writeFileSync(join(dist, 'index.html'), page);
  }
  const get = (path: string, rest = '', headers: Record<string, string> = {}) => {
    const route = routes.find(one => one.path === path);
    assert.ok(route, path);
    return route.handler({ rest, headers } as unknown as HttpRequest);
  };

  it('says how to build it when it is not there, and serves it once it is', async () => {
    const missing = await get('/');
    assert.equal(missing.status, 503);
    assert.match(textOf(missing), /make web/);
    build('<p>one</p>', 'a-1.js');
    assert.equal((await get('/')).status, 200);
    assert.equal((await get('/c/*', 'somebody')).body, '<p>one</p>');
  });

  it('gives each answer a nonce of its own, in the policy and wherever the page needs it', async () => {
    build('<script nonce="PARLEY-CSP-NONCE"></script><meta nonce="PARLEY-CSP-NONCE">', 'a-1.js');
    const [one, two] = [await get('/'), await get('/')];
    const nonces = [...textOf(one).matchAll(/nonce="([^"]+)"/g)].map(match => match[1]);
    assert.equal(nonces.length, 2);
    assert.equal(new Set(nonces).size, 1);
    assert.ok(one.headers?.['content-security-policy']?.includes(`'nonce-${nonces[0]}'`));
    assert.notEqual(one.body, two.body);
  });

  it('serves files compressed as the browser wants them, for ever', async () => {
    build('', 'a-1.js');
    for (const [accepted, body] of [
      ['gzip, deflate, br', 'brotli'],
      ['gzip', 'gzip'],
      ['', 'plain'],
    ] as const) {
      const answer = await get('/assets/*', 'a-1.js', { 'accept-encoding': accepted });
      assert.equal(textOf(answer), body);
      assert.match(answer.headers?.['cache-control'] ?? '', /immutable/);
      assert.equal(answer.headers?.['content-type'], 'text/javascript; charset=utf-8');
      assert.equal(answer.headers?.['vary'], 'accept-encoding');
    }
  });

  it('serves nothing that is not part of the build', async () => {
    build('', 'a-1.js');
    writeFileSync(join(dist, '..', 'parley-web-outside.js'), 'secret');
    for (const name of [
      '../../parley-web-outside.js',
      '../index.html',
      'a-1.js.br',
      '%2e%2e/index.html',
      'constructor',
    ])
      assert.equal((await get('/assets/*', name)).status, 404, name);
    rmSync(join(dist, '..', 'parley-web-outside.js'));
  });

  it('takes up a newer build without a restart', async () => {
    build('<p>one</p>', 'a-1.js');
    await get('/');
    build('<p>two</p>', 'b-2.js');
    utimesSync(join(dist, 'index.html'), 1, 1);
    assert.equal((await get('/')).body, '<p>two</p>');
    assert.equal((await get('/assets/*', 'b-2.js')).status, 200);
  });
});
