import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wordsOf, wordsQuery } from './words.ts';

/** As the search does: by the index first, then by the text. */
function finds(query: string, text: string): boolean {
  const asked = wordsQuery(query);
  assert.ok(asked, query);
  const indexed = wordsOf(text);
  const byIndex = asked.tokens.every(token => indexed.has(token));
  // What the text holds, the index must never hide.
  if (asked.matches(text)) assert.ok(byIndex, `${query} is in the text and not in the index`);
  return byIndex && asked.matches(text);
}

describe('the search for words', () => {
  it('finds whole words in any order, case and width', () => {
    for (const query of ['budget', 'BUDGET', 'tuesday budget', 'ｂｕｄｇｅｔ', 'The  Budget', 'budget,'])
      assert.ok(finds(query, 'The budget meeting is on Tuesday.'), query);
    for (const query of ['budge', 'udget', 'budgets', 'budget monday'])
      assert.ok(!finds(query, 'The budget meeting is on Tuesday.'), query);
  });

  it('finds any part of a text written without spaces, and only what stands together', () => {
    const text = '明天下午三點在第二會議室開會，請帶預算表。';
    for (const query of ['會議室', '第二會議室', '議', '預算表', '明天 開會', '三點在第二會議室開會'])
      assert.ok(finds(query, text), query);
    for (const query of ['會室', '議會', '會請', '後天', '開會請帶']) assert.ok(!finds(query, text), query);
    assert.ok(finds('会議', '明日の会議は'));
    assert.ok(finds('カタカナ', 'ｶﾀｶﾅです'));
    assert.ok(finds('회의', '회의는 내일'));
    assert.ok(finds('ประชุม', 'พรุ่งนี้มีประชุมตอนบ่าย'));
  });

  it('never finds two halves that do not touch', () => {
    // 會議 and 議室 are both there, 會議室 is not
    assert.ok(!finds('會議室', '會議在議室'));
    assert.ok(!finds('inv-2026', '2026 inv'));
  });

  it('takes what is not divided by spaces as one expression', () => {
    for (const query of ['INV-2026-014', 'inv/2026/014', 'inv_2026'])
      assert.ok(finds(query, 'see INV-2026-014 please'));
    assert.ok(!finds('INV-2026-014', 'INV 014 of 2026'));
    assert.ok(finds('ann@north.example', 'write to Ann@North.example!'));
    assert.ok(finds('會議room', '大會議Room 3'));
  });

  it('finds emoji and symbols, with and without their variations', () => {
    for (const query of ['👍', '🎉 done', '👩‍💻', '€', '👍🏽']) assert.ok(finds(query, 'done 👍🏽 🎉 👩‍💻 5 €'), query);
    assert.ok(finds('👍', 'ok👍'));
    assert.ok(finds('❤', 'I ❤️ it'));
    assert.ok(!finds('👎', 'done 👍🏽'));
    assert.ok(finds('C++', 'learn c++ now'));
    assert.ok(!finds('C++', 'c + b'));
  });

  it('is not misled by characters that nobody sees', () => {
    assert.ok(finds('secret', 'se\u200bc\u00adret\u2060'));
    assert.ok(finds('會議', '會\u200b議'));
  });

  it('knows how letters change case in other languages', () => {
    assert.ok(finds('STRASSE', 'Straße'));
    assert.ok(finds('straße', 'STRASSE'));
    assert.ok(finds('ΟΔΟΣ', 'οδός οδος'));
    assert.ok(finds('istanbul', 'İSTANBUL'));
    assert.ok(!finds('jose', 'José'));
    assert.ok(finds('jose\u0301', 'José'));
  });

  it('finds very long words by all their letters', () => {
    const long = 'x'.repeat(200);
    assert.ok(finds(long, `a ${long} b`));
    assert.ok(!finds(`${long}y`, `a ${long} b`));
    assert.ok([...wordsOf(long)].every(word => word.length <= 64));
  });

  it('reads nothing out of punctuation', () => {
    for (const query of ['', '  ', '!?', '。，']) assert.equal(wordsQuery(query), undefined);
  });

  it('agrees with itself for any part of any text', () => {
    const alphabet = [...'ab1 -.é會議開のカ한국ไท👍🏽€\u200bßΣ'];
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    const some = (n: number) => Array.from({ length: n }, () => alphabet[random(alphabet.length)]).join('');
    let found = 0;
    for (let i = 0; i < 5_000; i++) {
      const text = some(1 + random(12));
      const query = random(2) === 0 ? some(1 + random(3)) : text.slice(random(text.length));
      if (!query.isWellFormed() || !wordsQuery(query)) continue;
      if (finds(query, text)) found++;
    }
    assert.ok(found > 1_000);
  });
});
