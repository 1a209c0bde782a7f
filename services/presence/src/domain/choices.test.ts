import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChoicePolicy, choosePresence, resetPresence, writeNote } from './choices.ts';
import { type ManualState, newPerson, type PersonDoc } from './person.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 5, 9);
const policy: ChoicePolicy = {
  appearOffline: false,
  urgentEndsAfterMs: DAY,
  longestMs: 366 * DAY,
  noteCharacters: 500,
};
const nobody = newPerson('p');
const choose = (state: ManualState, endsAt?: number, doc: PersonDoc = nobody, requestId = 'r1') =>
  choosePresence(doc, { requestId, state, ...(endsAt === undefined ? {} : { endsAt }) }, NOW, policy);
const note = (text: string, doc: PersonDoc = nobody, requestId = 'n1') =>
  writeNote(doc, { requestId, text }, NOW, policy);
function docOf(result: { doc: PersonDoc } | { refused: string }): PersonDoc {
  assert.ok('doc' in result, JSON.stringify(result));
  return result.doc;
}

describe('a chosen state', () => {
  it('ends after a day for Busy and Do Not Disturb, never for the others', () => {
    const ends = (state: ManualState) => docOf(choose(state)).manual?.endsAt;
    assert.equal(ends('busy'), NOW + DAY);
    assert.equal(ends('do-not-disturb'), NOW + DAY);
    for (const state of ['online', 'be-right-back', 'away', 'off-work'] as const) assert.equal(ends(state), undefined);
  });

  it('ends when asked to, in the future and within a year', () => {
    assert.equal(docOf(choose('away', NOW + 1)).manual?.endsAt, NOW + 1);
    assert.equal(docOf(choose('busy', NOW + 366 * DAY)).manual?.endsAt, NOW + 366 * DAY);
    assert.deepEqual(choose('busy', NOW), { refused: 'expires_in_past' });
    assert.deepEqual(choose('busy', NOW + 366 * DAY + 1), { refused: 'expires_too_far' });
  });

  it('may be "appear offline" only where policy allows it', () => {
    assert.deepEqual(choose('appear-offline'), { refused: 'appear_offline_forbidden' });
    const allowed = { ...policy, appearOffline: true };
    const chosen = choosePresence(nobody, { requestId: 'r', state: 'appear-offline' }, NOW, allowed);
    assert.equal(docOf(chosen).manual?.state, 'appear-offline');
  });

  it('changes nothing when the request is repeated, even with an end that has passed meanwhile', () => {
    const doc = docOf(choose('busy', NOW + 10));
    const again = choosePresence(doc, { requestId: 'r1', state: 'away', endsAt: NOW - 1 }, NOW + 20, policy);
    assert.deepEqual(again, { doc, replayed: true });
  });

  it('is forgotten by a reset, once', () => {
    const doc = docOf(choose('busy'));
    const reset = resetPresence(doc, 'r2');
    assert.equal(reset.doc.manual, undefined);
    assert.deepEqual(resetPresence(reset.doc, 'r2'), { doc: reset.doc, replayed: true });
  });

  it('is remembered by its request for the sixteen latest requests', () => {
    let doc = nobody;
    for (let i = 0; i < 20; i++) doc = docOf(choose('away', undefined, doc, `r${i}`));
    assert.deepEqual(
      doc.requests,
      Array.from({ length: 16 }, (_, i) => `r${i + 4}`),
    );
  });
});

describe('a note', () => {
  it('has up to five hundred characters of any script', () => {
    for (const text of ['a'.repeat(500), '好'.repeat(500), '👍'.repeat(500)])
      assert.equal(docOf(note(text)).note?.text, text);
    for (const text of ['a'.repeat(501), '👍'.repeat(501), 'x'.repeat(100_000)])
      assert.deepEqual(note(text), { refused: 'note_too_long' });
  });

  it('is one line without controls, direction marks or broken characters', () => {
    for (const bad of ['a\nb', 'a\u0000b', 'a\u007f', '\u0085', 'a\u2028b', 'a\u202eb', '\u2066', 'a\ud800'])
      assert.deepEqual(note(bad), { refused: 'note_characters' }, JSON.stringify(bad));
    for (const good of ['在家工作 🏠', '👩‍👩‍👧', 'العربية', 'a\u200db'])
      assert.equal(docOf(note(good)).note?.text, good);
  });

  it('is removed by an empty text and not set twice by one request', () => {
    const doc = docOf(note('away'));
    assert.deepEqual(doc.note, { text: 'away', setAt: NOW });
    assert.equal(docOf(note('', doc, 'n2')).note, undefined);
    assert.deepEqual(note('other', doc), { doc, replayed: true });
  });
});
