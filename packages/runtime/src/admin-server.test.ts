import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { createAuthority } from '@parley/testkit';
import { createAdminServer } from './admin-server.ts';
import { createMetrics } from './create-metrics.ts';
import { createHealth } from './health.ts';
import { readTlsFiles, type TlsMaterial } from './tls/read-tls-files.ts';

it('answers for life, readiness and metrics, and for nothing else', async () => {
  const health = createHealth();
  const metrics = createMetrics({ defaults: false });
  metrics.counter({ name: 'parley_a_b_total', help: 'x' }).inc();
  const admin = createAdminServer({ host: '127.0.0.1', port: 0, health, metrics });
  await admin.start();
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  try {
    assert.deepEqual(await get('/livez'), [200, '{"ok":true}\n']);
    assert.equal((await get('/readyz'))[0], 200);
    let ok = false;
    const forget = health.register('store', () => ({ ok, detail: 'not reachable' }));
    const [status, text] = await get('/readyz');
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(text), { ok: false, checks: { store: { ok: false, detail: 'not reachable' } } });
    ok = true;
    assert.equal((await get('/readyz'))[0], 200);
    assert.throws(() => health.register('store', () => ({ ok: true })));
    forget();
    const forgetBad = health.register('bad', () => {
      throw new Error('password=1');
    });
    const [, bad] = await get('/readyz');
    assert.ok(bad.includes('the check failed') && !bad.includes('password'));
    forgetBad();
    assert.ok((await get('/metrics'))[1].includes('parley_a_b_total 1'));
    assert.equal((await get('/other'))[0], 404);
    assert.equal((await get('/livez', 'POST'))[0], 405);
    health.draining();
    assert.equal((await get('/readyz'))[0], 503);
    assert.equal((await get('/livez'))[0], 200);
  } finally {
    await admin.stop();
    await admin.stop();
  }
});

it('answers over TLS with the certificate in force, and asks callers for theirs where told to', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-admin-tls-'));
  const authority = createAuthority(dir);
  const materialOf = (name: string, caFile?: string) => readTlsFiles({ ...authority.issue(name), caFile }, Date.now());
  let current = materialOf('first');
  let tell: (material: TlsMaterial) => void = () => {};
  const tls = {
    get current() {
      return current;
    },
    onChange(listener: (material: TlsMaterial) => void) {
      tell = listener;
      return () => {};
    },
  };
  const metrics = createMetrics({ defaults: false });
  const admin = createAdminServer({ host: '127.0.0.1', port: 0, health: createHealth(), metrics, tls });
  await admin.start();
  const get = (identity: object = {}) =>
    new Promise<string>((resolve, reject) => {
      const target = {
        host: '127.0.0.1',
        port: admin.port,
        path: '/livez',
        agent: false,
        ca: authority.ca,
        ...identity,
      };
      request(target, response => {
        const { subject } = (response.socket as unknown as import('node:tls').TLSSocket).getPeerCertificate();
        response.resume().on('end', () => resolve(`${response.statusCode} ${subject.CN}`));
      })
        .on('error', reject)
        .end();
    });
  try {
    assert.equal(await get(), '200 first');
    current = materialOf('second');
    tell(current);
    assert.equal(await get(), '200 second');
    await assert.rejects(get({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
    current = materialOf('third', authority.caFile);
    tell(current);
    const { cert, key } = materialOf('prometheus');
    assert.equal(await get({ cert, key }), '200 third');
  } finally {
    await admin.stop();
    rmSync(dir, { recursive: true });
  }
});
