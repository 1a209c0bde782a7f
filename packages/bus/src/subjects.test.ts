import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { subject, subjects } from './subjects.ts';

describe('subjects', () => {
  it('joins safe tokens', () => {
    assert.equal(subject('presence', 'a-B_9', 'friends'), 'presence.a-B_9.friends');
    assert.equal(subjects.presence('p1', 'colleagues'), 'presence.p1.colleagues');
    assert.equal(subjects.sessionCommand('s1'), 'session.s1.cmd');
  });

  it('refuses an id that would widen, split or break a subject', () => {
    for (const bad of ['', '*', '>', 'a.b', 'a b', 'a\r\n', 'a\n', 'ä', 'x'.repeat(129)]) {
      assert.throws(() => subjects.im(bad), RangeError, JSON.stringify(bad));
    }
  });
});
