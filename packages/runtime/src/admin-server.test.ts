import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createAdminServer } from './admin-server.ts';
import { createMetrics } from './create-metrics.ts';
import { createHealth } from './health.ts';

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
