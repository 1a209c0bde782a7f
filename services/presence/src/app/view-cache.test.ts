import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newPerson, type PersonDoc } from '../domain/person.ts';
import { packViews } from '../domain/views.ts';
import { ViewCache } from './view-cache.ts';

const person = (id: string, rev: number, acl = 0): PersonDoc => ({
  ...newPerson(id),
  acl,
  ...packViews([['colleagues', { rev, acl, bytes: new Uint8Array([rev]) }]]),
});
const view = (rev: number, acl = 0) => ({ rev, acl, bytes: new Uint8Array([rev]) });

function cache(limit = 10) {
  const state = { now: 0, hearing: true };
  const views = new ViewCache(
    limit,
    1000,
    () => state.now,
    () => state.hearing,
  );
  const revOf = (id: string) => views.get(id)?.views[0]?.rev;
  return { state, views, revOf };
}

describe('views in memory', () => {
  it('are kept for a time, as long as changes are heard of', () => {
    const { state, views, revOf } = cache();
    views.fill(views.begin(), person('ann', 1));
    state.now = 999;
    assert.equal(revOf('ann'), 1);
    state.hearing = false;
    assert.equal(revOf('ann'), undefined);
    state.hearing = true;
    state.now = 1000;
    assert.equal(revOf('ann'), undefined);
  });

  it('follow what is published, forwards only', () => {
    const { views, revOf } = cache();
    views.fill(views.begin(), person('ann', 4));
    views.heard('ann', 'colleagues', view(6));
    views.heard('ann', 'colleagues', view(5));
    assert.equal(revOf('ann'), 6);
    assert.deepEqual(views.get('ann')?.bytes, new Uint8Array([6]));
    views.heard('bob', 'colleagues', view(1));
    assert.equal(revOf('bob'), undefined);
  });

  it('follow changes of this process, even confirmed in the wrong order', () => {
    const { views, revOf } = cache();
    views.changed(person('ann', 2));
    views.changed(person('ann', 1));
    assert.equal(revOf('ann'), 2);
  });

  it('are dropped when the access list changes or the person has several levels', () => {
    const { views, revOf } = cache();
    views.fill(views.begin(), person('ann', 4));
    views.heard('ann', 'colleagues', view(5, 1));
    assert.equal(revOf('ann'), undefined);
    const levels = packViews([
      ['colleagues', view(1)],
      ['workgroup', view(2)],
    ]);
    views.fill(views.begin(), { ...person('bob', 1), ...levels });
    views.heard('bob', 'workgroup', view(3));
    assert.equal(revOf('bob'), undefined);
  });

  it('do not take in what was read before a change was heard of', () => {
    const { views, revOf } = cache();
    const begun = views.begin();
    views.heard('ann', 'colleagues', view(5));
    views.fill(begun, person('ann', 4));
    assert.equal(revOf('ann'), undefined);
    views.fill(views.begin(), person('ann', 5));
    assert.equal(revOf('ann'), 5);
    const before = views.begin();
    views.clear();
    views.fill(before, person('bob', 1));
    assert.deepEqual([views.size, revOf('bob')], [0, undefined]);
    const early = views.begin();
    for (let i = 0; i < 10_000; i++) views.heard(`p${i}`, 'colleagues', view(1));
    views.fill(early, person('p0', 0));
    assert.equal(revOf('p0'), undefined, 'long forgotten changes count as well');
  });

  it('are bounded, and none with a limit of nothing', () => {
    const { views } = cache(3);
    for (let i = 0; i < 10; i++) views.fill(views.begin(), person(`p${i}`, 1));
    assert.equal(views.size, 3);
    const none = cache(0).views;
    none.changed(person('ann', 1));
    assert.equal(none.size, 0);
  });
});
