import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { subject, subjects } from './subjects.ts';

describe('subjects', () => {
  it('joins safe tokens', () => {
    assert.equal(subject('presence', 'a-B_9', 'friends'), 'presence.a-B_9.friends');
    assert.equal(subjects.presence('p1', 'colleagues'), 'presence.p1.colleagues');
    assert.equal(subjects.sessionCommand('s1'), 'session.s1.cmd');
  });

  it('has a pattern for all of each kind', () => {
    const matches = (pattern: string, made: string) =>
      new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`).test(made);
    assert.ok(matches(subjects.allPresence, subjects.presence('p', 'friends')));
    assert.ok(matches(subjects.allIm, subjects.im('p')));
    assert.ok(matches(subjects.allDirectoryChanged, subjects.directoryChanged('p')));
    assert.ok(matches(subjects.allSessionCommands, subjects.sessionCommand('s')));
    assert.ok(!matches(subjects.allIm, subjects.presence('p', 'friends')));
  });

  it('refuses an id that would widen, split or break a subject', () => {
    for (const bad of ['', '*', '>', 'a.b', 'a b', 'a\r\n', 'a\n', 'ä', 'x'.repeat(129)]) {
      assert.throws(() => subjects.im(bad), RangeError, JSON.stringify(bad));
    }
  });
});
