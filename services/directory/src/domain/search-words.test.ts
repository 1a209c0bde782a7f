import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newPerson } from './person.ts';
import { indexedPrefix, matches, queryTerms, searchFields } from './search-words.ts';

const finds = (query: string, name: string, ...addresses: string[]) => found(searchFields(name, addresses), query);

/** As the search does: by the index first, then by the words. */
function found(fields: ReturnType<typeof searchFields>, query: string): boolean {
  const terms = queryTerms(query);
  const indexed = terms.every(term => term.some(prefix => fields.prefixes.includes(indexedPrefix(prefix))));
  return terms.length > 0 && indexed && matches(fields.words, terms);
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

  it('finds a name by any part of it in either order, whether or not a space stands in it', () => {
    for (const name of ['林美玲', '林 美玲', '林\u3000美玲', '美玲 林', '林・美玲']) {
      const queries = [
        '林',
        '美',
        '美玲',
        '玲',
        '林美',
        '林美玲',
        '美玲林',
        '美玲 林',
        '林 美玲',
        '林\u3000美玲',
        '美玲・林',
      ];
      for (const query of queries) assert.ok(finds(query, name), `${query} in ${name}`);
      for (const query of ['林玲美', '美陳', '陳', '林美玲子', '林明'])
        assert.ok(!finds(query, name), `${query} in ${name}`);
    }
    for (const query of ['김', '민준', '준', '김민준', '민준김', '민준 김', '김민', '김 민준']) {
      assert.ok(finds(query, '김민준') && finds(query, '김 민준'), query);
    }
    assert.ok(finds('\u1100\u1175\u11b7', '김민준'), 'letters of Hangul one by one');
    for (const query of ['アリス', 'ｱﾘｽ', 'リス', 'スミス アリス', 'スミスアリス', 'アリススミス', 'ｽﾐｽ・ｱﾘｽ']) {
      for (const name of ['アリス・スミス', 'アリス スミス', 'ｱﾘｽ ｽﾐｽ'])
        assert.ok(finds(query, name), `${query} in ${name}`);
    }
    assert.ok(finds('さくら山田', '山田 さくら') && finds('山田さくら', '山田 さくら'));
  });

  it('counts characters beyond the first plane as one', () => {
    for (const query of ['𠮷', '𠮷野', '野家', '家', '𠮷野家', '野家𠮷', '家 𠮷'])
      assert.ok(finds(query, '𠮷野家'), query);
    for (const query of ['\ud842', '吉野家']) assert.ok(!finds(query, '𠮷野家'), query);
    const long = '𠮷'.repeat(40);
    assert.ok(finds('𠮷'.repeat(8), long) && searchFields(long, []).words.every(word => word.isWellFormed()));
  });

  it('does not ask for the variant of a character', () => {
    for (const query of ['葛城', '葛\u{e0100}城', '城']) assert.ok(finds(query, '葛\u{e0100}城'), query);
  });

  it('does not ask for strokes, apostrophes and hyphens', () => {
    for (const query of ["o'brien", 'O’Brien', 'obrien', 'OBRIEN', 'brien', 'o brien']) {
      assert.ok(finds(query, "Conor O'Brien") && finds(query, 'Conor O’Brien'), query);
    }
    for (const query of ['xiaoming', 'xiao-ming', 'ming', 'xiao ming'])
      assert.ok(finds(query, 'Wang Xiao-Ming'), query);
    for (const query of ['zoe', 'Zoë', 'ZOE\u0308', 'Ｚｏｅ']) assert.ok(finds(query, 'Zoë'), query);
    for (const [query, name] of [
      ['soren', 'Søren'],
      ['lukasz', 'Łukasz'],
      ['strasse', 'Straße'],
      ['STRASSE', 'Straße'],
      ['ışık', 'IŞIK'],
      ['istanbul', 'İstanbul'],
      ['νικοσ', 'ΝΊΚΟΣ'],
      ['ёлкин', 'Елкин'],
      ['aegir', 'Ægir'],
    ] as const) {
      assert.ok(finds(query, name), `${query} in ${name}`);
    }
  });

  it('finds full width for half width and back', () => {
    for (const query of ['ada', 'Ada', 'Ａｄａ', 'ａ']) assert.ok(finds(query, 'Ａｄａ') && finds(query, 'Ada'), query);
    assert.ok(finds('１２', 'Room 12') && finds('12', 'Ｒｏｏｍ １２'));
  });

  it('finds names of one letter and in scripts with marks', () => {
    for (const [query, name] of [
      ['x', 'X'],
      ['e', 'E'],
      ['o', 'Ō'],
      ['李', '李'],
      ['ม', 'มานี'],
      ['มานี', 'มานี มีนา'],
      ['अदिति', 'अदिति शर्मा'],
      ['शर', 'अदिति शर्मा'],
      ['نور', 'نور الدين'],
      ['Δη', 'Δήμητρα'],
    ] as const) {
      assert.ok(finds(query, name), `${query} in ${name}`);
    }
    assert.ok(!finds('y', 'X'));
  });

  it('does not look at department or title', () => {
    const person = newPerson(
      {
        displayName: 'Ada',
        addresses: ['ada@hospital.example'],
        department: 'Cardiology',
        title: 'Surgeon',
        language: '',
        site: '',
      },
      { createdMs: 0, requestHash: '', version: 1 },
    );
    assert.ok(found(person, 'ada') && !found(person, 'cardiology') && !found(person, 'surgeon'));
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
