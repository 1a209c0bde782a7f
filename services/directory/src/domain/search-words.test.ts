import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { indexedPrefix, matches, queryTerms, searchFields } from './search-words.ts';

const finds = (query: string, name: string, ...addresses: string[]) => found(searchFields(name, addresses), query);

/** As the search does: by the index first, then by the words. */
function found(fields: ReturnType<typeof searchFields>, query: string): boolean {
  const terms = queryTerms(query);
  const indexed = terms.every(term => term.some(prefix => fields.prefixes.includes(indexedPrefix(prefix))));
  return indexed && matches(fields.words, terms);
}

describe('the search for people', () => {
  it('finds by the beginning of any word of the name, in any order and case', () => {
    for (const query of ['ali', 'ALICE', 'chen', 'che ali', 'Alice Chen'])
      assert.ok(finds(query, 'Alice Mei Chen'), query);
    for (const query of ['lice', 'alicex', 'ali bob', 'chena']) assert.ok(!finds(query, 'Alice Mei Chen'), query);
  });

  it('finds by address, whole or by the parts before the @', () => {
    const address = 'alice.chen@hospital.example';
    for (const query of ['alice.ch', 'chen', 'alice.chen@hosp', 'ALICE.CHEN@hospital.example']) {
      assert.ok(finds(query, 'Dr. Who', address), query);
    }
    for (const query of ['hospital', 'bob@hospital.example', '@hospital'])
      assert.ok(!finds(query, 'Dr. Who', address), query);
  });

  it('finds any part of a name written without spaces, and either order of its parts', () => {
    for (const query of ['王', '小明', '明', '王小明', '小明王', '明 王', '小王', '王 小明']) {
      assert.ok(finds(query, '王小明'), query);
    }
    for (const query of ['李', '小王明', '大明']) assert.ok(!finds(query, '王小明'), query);
    assert.ok(finds('ひろ', '山田ひろし'));
    assert.ok(finds('길동', '홍길동'));
  });

  it('finds mixed scripts apart', () => {
    for (const query of ['wang', '小明', '王 wang', 'ming 王'])
      assert.ok(finds(query, '王小明 (Wang Xiao-Ming)'), query);
  });

  it('does not ask for accents or width', () => {
    for (const query of ['jose', 'José', 'JOSE\u0301', 'ｊｏｓｅ', 'nunez'])
      assert.ok(finds(query, 'José Núñez'), query);
    assert.ok(finds('ガ', 'ｶﾞﾀﾞ'));
  });

  it('finds nobody for a query without letters', () => {
    assert.deepEqual(queryTerms(' .-* '), []);
  });

  it('is bounded in words, their length and the terms of a query', () => {
    const letters = Array.from({ length: 256 }, (_, i) => String.fromCodePoint(0x4e00 + i));
    const addresses = Array.from({ length: 32 }, (_, i) => `user.number.${i}.of.many@hospital${i}.example`);
    const big = searchFields(letters.join(' '), addresses);
    assert.ok(big.words.length <= 256 && big.prefixes.length <= 900);
    const wide = searchFields('x'.repeat(256), []);
    assert.ok([...wide.words, ...wide.prefixes, wide.sortName].every(word => word.length <= 64));
    assert.ok(queryTerms('a b c d e f g h i j k l').length <= 8);
    assert.ok(finds('x'.repeat(128), 'x'.repeat(256)));
  });
});
