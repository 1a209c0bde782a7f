import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCounting } from './counting.ts';
import { createLocalStore } from './local-data.ts';

function fixture(kept = new Map<string, string>()) {
  const waiting: (() => void)[] = [];
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const after = (_: number, callback: () => void) => {
    waiting.push(callback);
    return () => void waiting.splice(waiting.indexOf(callback), 1);
  };
  const local = createLocalStore(storage, 'me', after, initial => createCounting('me', initial).state);
  return { local, kept, waiting };
}

describe('what a browser remembers of a person', () => {
  it('is written once for many changes, and read by the next page', () => {
    const { local, kept, waiting } = fixture();
    for (const id of ['a', 'b', 'c']) local.update(data => ({ ...data, pins: [...data.pins, id] }));
    assert.equal(waiting.length, 1);
    assert.equal(kept.size, 0);
    waiting[0]?.();
    assert.deepEqual(fixture(kept).local.get().pins, ['a', 'b', 'c']);
  });

  it('is without names and texts once the person has signed out', () => {
    const { local, kept } = fixture();
    const refusal = { code: 'x.y', params: {} };
    local.update(data => ({
      ...data,
      pins: ['mei'],
      failed: { mei: [{ messageId: '1', text: 'secret words', timeMs: 1, refusal }] },
    }));
    local.signedOut();
    const text = [...kept.values()].join();
    assert.doesNotMatch(text, /secret words/);
    assert.match(text, /mei/);
  });

  it('begins anew when what was kept cannot be read, and goes on without room', () => {
    for (const broken of ['{', 'null', '{"version":2,"pins":["x"]}', '[]'])
      assert.deepEqual(fixture(new Map([['parley.person.me', broken]])).local.get().pins, []);
    const { local, waiting } = fixture({
      get: () => undefined,
      set() {
        throw new DOMException('full', 'QuotaExceededError');
      },
    } as unknown as Map<string, string>);
    local.update(data => ({ ...data, pins: ['a'] }));
    waiting[0]?.();
    assert.deepEqual(local.get().pins, ['a']);
  });
});
