import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Change, createSharedStore } from './shared-store.ts';

/** A store and a copy of it that is kept by its changes, as if they travelled. */
function pair() {
  const [from, to] = [createSharedStore(), createSharedStore()];
  const sent: Change[][] = [];
  from.onChanges(changes => {
    sent.push(structuredClone(changes) as Change[]);
    assert.ok(to.apply(structuredClone(changes) as Change[]));
  });
  return { from, to, sent };
}
const settled = () => new Promise(resolve => setImmediate(resolve));

describe('a shared store', () => {
  it('is copied by its changes, those of one task together', async () => {
    const { from, to, sent } = pair();
    from.set('a', 1);
    from.set('b', { x: [1] });
    from.set('a', 2);
    await settled();
    assert.equal(sent.length, 1);
    assert.deepEqual(to.entries().sort(), [
      ['a', 2],
      ['b', { x: [1] }],
    ]);
    from.set('a', undefined);
    await settled();
    assert.deepEqual(to.keys(), ['b']);
  });

  it('sends of an array only what changed, at whichever end', async () => {
    const { from, to, sent } = pair();
    const items = Array.from({ length: 1_000 }, (_, i) => ({ i }));
    from.set('list', items);
    await settled();
    const last = { i: 1_000 };
    const cases: unknown[][] = [
      [...items, last],
      [{ i: -1 }, ...items, last],
      items.with(500, { i: -500 }),
      items.toSpliced(10, 3),
      [],
      items,
      [...items, ...items],
    ];
    for (const next of cases) {
      from.set('list', next);
      await settled();
      assert.deepEqual(to.get('list'), next);
    }
    const [, appended, prepended] = sent as [Change[], Change[], Change[]];
    assert.deepEqual(appended, [['list', 'splice', 1_000, 0, [{ i: 1_000 }]]]);
    assert.deepEqual(prepended, [['list', 'splice', 0, 0, [{ i: -1 }]]]);
  });

  it('keeps what did not change the same objects, so that nothing is drawn again', async () => {
    const { from, to } = pair();
    const [a, b] = [{ id: 'a' }, { id: 'b' }];
    from.set('list', [a, b]);
    await settled();
    const [copied] = to.get('list') as unknown[];
    from.set('list', [a, b, { id: 'c' }]);
    await settled();
    assert.equal((to.get('list') as unknown[])[0], copied);
  });

  it('says when changes do not fit what is there', () => {
    const store = createSharedStore();
    assert.equal(store.apply([['list', 'splice', 0, 0, [1]]]), false);
    store.set('list', [1, 2]);
    assert.equal(store.apply([['list', 'splice', 1, 5, []]]), false);
  });

  it('tells listeners of their key only, and when a key goes as a copy is replaced', () => {
    const store = createSharedStore();
    const heard: string[] = [];
    store.set('gone', 1);
    for (const key of ['a', 'b', 'gone']) store.subscribe(key, () => heard.push(key));
    store.set('a', 1);
    store.set('a', 1);
    store.replace([
      ['a', 2],
      ['b', 3],
    ]);
    assert.deepEqual(heard, ['a', 'a', 'b', 'gone']);
    assert.equal(store.get('gone'), undefined);
  });
});
