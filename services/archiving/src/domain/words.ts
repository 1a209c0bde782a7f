/**
 * Words of texts in any script. Texts are compared after NFKC, in lower case, without characters that nobody sees. Where
 * words are written apart, a word is a run of letters, marks and digits; where they are not (Chinese, Japanese, Korean,
 * Thai …), every character and every two in a row are words, so that any part is found. Symbols and emoji are words too.
 */

/** Scripts that are written without spaces, or in which endings are joined to words. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tai_Le}\\p{Script=New_Tai_Lue}\\p{Script=Tai_Tham}\\p{Script=Yi}ー々〆';
const PIECE = new RegExp(`[${UNSPACED}]+|(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}])+|\\p{S}`, 'gu');
const RUN = new RegExp(`^[${UNSPACED}]`, 'u');
const SYMBOL = /^\p{S}$/u;
const HIDDEN = /\p{Default_Ignorable_Code_Point}/gu;
const ASCII_PIECE = /[a-z0-9]+|[$+<=>^`|~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is what is looked for
const ASCII = /^[\u0000-\u007f]*$/;

/** Longest word that stands in the index; of a longer one its beginning does. */
const MOST_LENGTH = 64;
/** Marks the ends of a word, and the place between two runs, in the text that queries are compared with. */
const EDGE = '\u0001';
const GAP = '\u0002';

/** What is asked for by words. */
export interface WordsQuery {
  /** All of them are in the index for every text that matches. */
  readonly tokens: readonly string[];
  /** Whether a text holds every word. */
  matches(text: string): boolean;
}

/** Words of a text, each once, as the index holds them. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  if (ASCII.test(text)) {
    for (const [word] of text.toLowerCase().matchAll(ASCII_PIECE)) words.add(cut(word));
    return words;
  }
  for (const piece of pieces(fold(text))) {
    if (!RUN.test(piece)) {
      words.add(cut(piece));
      continue;
    }
    let before = '';
    for (const character of piece) {
      words.add(character);
      if (before !== '') words.add(before + character);
      before = character;
    }
  }
  return words;
}

/** Reads a query. Undefined when it holds nothing that could be a word. What is not divided by spaces is one expression. */
export function wordsQuery(query: string): WordsQuery | undefined {
  const tokens = new Set<string>();
  const wanted: string[] = [];
  for (const chunk of fold(query).split(/\s+/)) {
    const found = pieces(chunk);
    if (found.length === 0) continue;
    wanted.push(comparable(found));
    for (const piece of found) for (const token of queryTokens(piece)) tokens.add(token);
  }
  if (wanted.length === 0) return undefined;
  return {
    tokens: [...tokens],
    matches(text) {
      const whole = comparable(pieces(fold(text)));
      return wanted.every(part => whole.includes(part));
    },
  };
}

function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKC')
    .replace(HIDDEN, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/ς/g, 'σ')
    .replace(/i\u0307/g, 'i')
    .normalize('NFKC');
}

const pieces = (folded: string): readonly string[] => folded.match(PIECE) ?? [];

const cut = (word: string): string => (word.length <= MOST_LENGTH ? word : [...word].slice(0, MOST_LENGTH).join(''));

function queryTokens(piece: string): readonly string[] {
  if (!RUN.test(piece)) return [cut(piece)];
  const characters = [...piece];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, i) => (characters[i] as string) + character);
}

/** Pieces as one text in which whole words, parts of runs and what follows what can be looked for. */
function comparable(found: readonly string[]): string {
  let text = '';
  let inRun = false;
  for (const piece of found) {
    const run = RUN.test(piece);
    if (run) text += inRun ? GAP + piece : piece;
    else text += SYMBOL.test(piece) ? piece : EDGE + piece + EDGE;
    inRun = run;
  }
  return text;
}
