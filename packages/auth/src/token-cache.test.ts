import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TokenCache } from './token-cache.ts';

it('holds no more than it was made for, and keeps what is used', () => {
  const cache = new TokenCache<number>(100);
  for (let i = 0; i < 10_000; i++) {
    cache.set(`k${i}`, i, 1000);
    assert.equal(cache.get('k0', 0), 0);
  }
  assert.ok(cache.size <= 101);
  assert.equal(cache.get('k9999', 0), 9999);
  assert.equal(cache.get('k5000', 0), undefined);
});

it('forgets what has ended', () => {
  const cache = new TokenCache<number>(10);
  cache.set('a', 1, 1000);
  assert.equal(cache.get('a', 999), 1);
  assert.equal(cache.get('a', 1000), undefined);
  assert.equal(cache.size, 0);
});
