import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gather } from './gather.ts';

const options = { bytes: 1000, concurrent: 1, queue: 5000, overloaded: () => new Error('overloaded') };
const turn = () => new Promise(resolve => setImmediate(resolve));

it('sends what one turn asks for as one request, and gives each its own outcome', async () => {
  const sent: (readonly number[])[] = [];
  const call = gather<number, { n: number }>(async items => {
    sent.push(items);
    return items.map(n => (n === 2 ? new Error('two') : n === 3 ? undefined : { n }));
  }, options);
  const results = await Promise.allSettled([1, 2, 3, 4].map(n => call(n, 1)));
  assert.deepEqual(sent, [[1, 2, 3, 4]]);
  assert.deepEqual(
    results.map(r => (r.status === 'fulfilled' ? r.value : String(r.reason))),
    [{ n: 1 }, 'Error: two', undefined, { n: 4 }],
  );
});

it('gathers while requests are under way, up to as many as allowed', async () => {
  const release: (() => void)[] = [];
  const sizes: number[] = [];
  const call = gather<number, object>(
    items => {
      sizes.push(items.length);
      return new Promise(resolve => release.push(() => resolve(items.map(() => ({})))));
    },
    { ...options, concurrent: 2 },
  );
  const calls = [call(1, 1)];
  await turn();
  calls.push(call(2, 1), call(3, 1));
  await turn();
  calls.push(call(4, 1));
  await turn();
  calls.push(call(5, 1), call(6, 1));
  await turn();
  assert.deepEqual(sizes, [1, 2]);
  release.shift()?.();
  await calls[0];
  await turn();
  assert.deepEqual(sizes, [1, 2, 3]);
  while (release.length > 0) release.shift()?.();
  await Promise.all(calls);
});

it('keeps requests within the bytes and the number of items, and sends a larger item alone', async () => {
  const sizes: number[] = [];
  const call = gather<number, object>(
    async items => {
      sizes.push(items.length);
      return items.map(() => ({}));
    },
    { ...options, concurrent: 100 },
  );
  await Promise.all([400, 400, 400, 5000, 1].map(bytes => call(bytes, bytes)));
  assert.deepEqual(sizes, [2, 1, 1, 1]);
  sizes.length = 0;
  await Promise.all(Array.from({ length: 2500 }, (_, n) => call(n, 0)));
  assert.deepEqual(sizes, [1000, 1000, 500]);
});

it('fails all calls of a request that fails, and goes on', async () => {
  let times = 0;
  const call = gather<number, object>(async items => {
    if (times++ === 0) throw new Error('lost');
    return items.map(() => ({}));
  }, options);
  const first = await Promise.allSettled([call(1, 1), call(2, 1)]);
  assert.deepEqual(
    first.map(r => r.status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(await call(3, 1), {});
});

it('refuses an item too many', async () => {
  const call = gather<number, object>(async items => items.map(() => ({})), { ...options, queue: 2 });
  const calls = [call(1, 1), call(2, 1)];
  await assert.rejects(call(3, 1), /overloaded/);
  await Promise.all(calls);
  assert.deepEqual(await call(4, 1), {});
});
