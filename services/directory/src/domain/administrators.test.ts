import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Administrators, join, leave, maxAdministrators, noAdministrators } from './administrators.ts';

const joined = (state: Administrators, id: string, revision: number) => {
  const decision = join(state, id, revision);
  assert.equal(decision.kind, 'store');
  return decision.kind === 'store' ? decision.next : state;
};
const two = joined(joined(noAdministrators, 'a', 1), 'b', 1);

describe('the list of administrators', () => {
  it('never loses its last member', () => {
    const decision = leave(two, 'a', 1, 0);
    assert.equal(decision.kind, 'store');
    assert.equal(leave((decision as { next: Administrators }).next, 'b', 1, 0).kind, 'last');
    assert.equal(leave(noAdministrators, 'a', 1, 0).kind, 'last');
  });

  it('lets somebody who is not on it leave only while others are on it', () => {
    assert.equal(leave(two, 'c', 1, 0).kind, 'store');
  });

  it('does not take back somebody whose account was written before he began to leave', () => {
    const left = (leave(two, 'a', 5, 0) as { next: Administrators }).next;
    assert.equal(join(left, 'a', 5).kind, 'overtaken');
    assert.equal(join(left, 'a', 4).kind, 'overtaken');
    const back = joined(left, 'a', 6);
    assert.deepEqual(back.left, []);
    assert.equal(join(back, 'a', 7).kind, 'unchanged');
  });

  it('forgets who left after a day and refuses to grow beyond its limit', () => {
    const left = (leave(two, 'a', 5, 0) as { next: Administrators }).next;
    const later = (leave(joined(left, 'c', 1), 'c', 2, 25 * 3600 * 1000) as { next: Administrators }).next;
    assert.deepEqual(
      later.left.map(l => l.id),
      ['c'],
    );
    const members = Array.from({ length: maxAdministrators }, (_, i) => ({ id: `m${i}`, revision: 1 }));
    assert.equal(join({ ...noAdministrators, members }, 'x', 1).kind, 'full');
  });
});
