/** Code points of a word that are looked at. */
const maxWord = 64;
/** Code points of a run without spaces of which every suffix is kept. */
const maxRun = 32;
const maxWords = 256;
/** Code points of the prefixes that stand in the index; the rest of a longer one is compared afterwards. */
const maxPrefix = 6;
const maxPrefixes = 900;
const maxTerms = 8;
/** Longest run for which parts in another order are tried: names are short. */
const maxSwapped = 12;

/** Scripts that are written without spaces: any part of a run may be what somebody types. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々';
const piece = new RegExp(`[${unspaced}]+|(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{N}])+`, 'gu');
const isRun = new RegExp(`^[${unspaced}]`, 'u');
/** A name in such a script whose parts stand apart: 林 美玲, マリー・スミス. */
const gap = '[\\s·・‧•=-]+';
const apart = new RegExp(`[${unspaced}]+(?:${gap}[${unspaced}]+)+`, 'gu');
const gaps = new RegExp(gap, 'u');
/** Some write it, some do not: O'Brien and OBrien, Xiao-Ming and Xiaoming. */
const joint = /(?<=[\p{L}\p{M}\p{N}])['’ʼ‘`´‐‑-](?=[\p{L}\p{M}\p{N}])/gu;

/** What the search knows of a person. */
export interface SearchFields {
  /** All words he can be found by, each standing for every prefix of it. */
  readonly words: readonly string[];
  /** Prefixes of the words up to a length, for the index. */
  readonly prefixes: readonly string[];
  /** Orders what is found by name. */
  readonly sortName: string;
}

export function searchFields(displayName: string, addresses: readonly string[]): SearchFields {
  const words = new Set<string>();
  const add = (text: string) => {
    for (const found of pieces(text)) {
      if (!isRun.test(found)) {
        words.add(cut(found, maxWord));
        continue;
      }
      const run = [...found].slice(0, maxRun);
      for (let i = 0; i < run.length; i++) words.add(run.slice(i).join(''));
    }
  };
  const name = foldText(displayName);
  add(name);
  // Those who type it may leave out what stands between its parts, and begin with the last.
  for (const [whole] of name.matchAll(apart)) {
    const parts = whole.split(gaps);
    add(parts.join(''));
    add(parts.toReversed().join(''));
  }
  add(name.replace(joint, ''));
  for (const address of addresses) {
    const folded = foldText(address);
    words.add(cut(folded, maxWord));
    add(folded.slice(0, folded.lastIndexOf('@')));
  }
  const kept = [...words].slice(0, maxWords);
  return { words: kept, prefixes: prefixesOf(kept), sortName: cut(foldText(displayName), maxWord) };
}

/** One term of a query: it matches when a word begins with one of its alternatives. */
export type Term = readonly string[];

/** Every term must match. Empty when the query holds nothing that could be found. */
export function queryTerms(query: string): readonly Term[] {
  const terms = new Map<string, Term>();
  for (const chunk of foldText(query).split(/\s+/u)) {
    if (chunk.includes('@')) {
      terms.set(chunk, [cut(chunk, maxWord)]);
      continue;
    }
    for (const found of pieces(chunk)) terms.set(found, isRun.test(found) ? runTerm(found) : [cut(found, maxWord)]);
  }
  return [...terms.values()].slice(0, maxTerms);
}

export function matches(words: readonly string[], terms: readonly Term[]): boolean {
  return terms.every(term => term.some(prefix => words.some(word => word.startsWith(prefix))));
}

/** What to look up in the index for an alternative. */
export function indexedPrefix(prefix: string): string {
  return cut(prefix, maxPrefix);
}

function prefixesOf(words: readonly string[]): readonly string[] {
  const prefixes = new Set<string>();
  for (const word of words) {
    let prefix = '';
    for (const character of [...word].slice(0, maxPrefix)) {
      prefix += character;
      prefixes.add(prefix);
    }
  }
  return [...prefixes].slice(0, maxPrefixes);
}

/** A name without spaces may be typed family name first or last: 小明王 finds 王小明. */
function runTerm(found: string): Term {
  const run = [...found].slice(0, maxRun);
  const alternatives = new Set([run.join('')]);
  if (run.length <= maxSwapped) {
    for (let i = 1; i < run.length; i++) alternatives.add([...run.slice(i), ...run.slice(0, i)].join(''));
  }
  return [...alternatives];
}

/**
 * NFKC, lower case, without accents on Latin, Greek and Cyrillic letters (`jose` finds José, `soren` Søren) and without
 * the selectors that pick a variant of a character.
 */
function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu, '')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[ßøłđðħıæœþς]/gu, letter => plain[letter] as string);
}

/** Letters whose stroke or form Unicode does not take for an accent. */
const plain: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ς: 'σ',
};

/** Of text that was folded. */
function pieces(text: string): readonly string[] {
  return text.match(piece) ?? [];
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join('');
}
