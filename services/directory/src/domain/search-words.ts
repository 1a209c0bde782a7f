/** Code points of a word that are looked at. */
const maxWord = 64;
/** Code points of a run without spaces of which every suffix is kept. */
const maxRun = 32;
const maxWords = 512;
const maxTerms = 8;
/** Longest run for which parts in another order are tried: names are short. */
const maxSwapped = 6;

/** Scripts that are written without spaces: any part of a run may be what somebody types. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々';
const piece = new RegExp(`[${unspaced}]+|(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{N}])+`, 'gu');
const isRun = new RegExp(`^[${unspaced}]`, 'u');

/** All words a person can be found by, each standing for every prefix of it. */
export function searchWords(displayName: string, addresses: readonly string[]): readonly string[] {
  const words = new Set<string>();
  const add = (text: string) => {
    for (const found of pieces(text)) {
      if (!isRun.test(found)) {
        words.add(cut(found));
        continue;
      }
      const run = [...found].slice(0, maxRun);
      for (let i = 0; i < run.length; i++) words.add(run.slice(i).join(''));
    }
  };
  add(displayName);
  for (const address of addresses) {
    words.add(cut(foldText(address)));
    add(address.slice(0, address.lastIndexOf('@')));
  }
  return [...words].slice(0, maxWords);
}

/** One term of a query: it matches when all prefixes of one of its alternatives do. */
export type Term = readonly (readonly string[])[];

/** Every term must match. Empty when the query holds nothing that could be found. */
export function queryTerms(query: string): readonly Term[] {
  const terms = new Map<string, Term>();
  for (const chunk of foldText(query).split(/\s+/u)) {
    if (chunk.includes('@')) {
      terms.set(chunk, [[cut(chunk)]]);
      continue;
    }
    for (const found of pieces(chunk)) terms.set(found, isRun.test(found) ? runTerm(found) : [[cut(found)]]);
  }
  return [...terms.values()].slice(0, maxTerms);
}

export function matches(words: readonly string[], terms: readonly Term[]): boolean {
  return terms.every(term =>
    term.some(prefixes => prefixes.every(prefix => words.some(word => word.startsWith(prefix)))),
  );
}

/** The prefix to look up for an alternative: the longest one finds the fewest. */
export function longest(prefixes: readonly string[]): string {
  return prefixes.reduce((a, b) => (b.length > a.length ? b : a));
}

/** A name without spaces may be typed family name first or last: 小明王 finds 王小明. */
function runTerm(found: string): Term {
  const run = [...found].slice(0, maxRun);
  const alternatives = [[run.join('')]];
  if (run.length > 1 && run.length <= maxSwapped) {
    for (let i = 1; i < run.length; i++) alternatives.push([run.slice(i).join('') + run.slice(0, i).join('')]);
  }
  return alternatives;
}

/** NFKC, lower case, and without accents on Latin, Greek and Cyrillic letters: `jose` finds José. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/gu, '')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC');
}

function pieces(text: string): readonly string[] {
  return foldText(text).match(piece) ?? [];
}

function cut(word: string): string {
  return word.length <= maxWord ? word : [...word].slice(0, maxWord).join('');
}
