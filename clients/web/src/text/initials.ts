const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/**
 * One or two letters that stand for a name in a picture: of a Chinese, Japanese or Korean name the last two signs (the
 * given name, as one says it), else the first letters of the first and the last word.
 */
export function initialsOf(name: string): string {
  const clean = name
    .normalize('NFKC')
    .replaceAll(/\([^)]*\)|\[[^\]]*\]/g, ' ')
    .trim();
  const words = clean.split(/[\s.,]+/u).filter(word => /[\p{L}\p{N}]/u.test(word));
  const east = words.filter(word => CJK.test(word)).join('');
  if (east !== '') {
    const signs = [...east].filter(sign => CJK.test(sign));
    return (signs.length > 2 ? signs.slice(-2) : signs).join('');
  }
  const first = firstLetter(words[0]);
  const last = words.length > 1 ? firstLetter(words.at(-1)) : '';
  return (first + last).toLocaleUpperCase('en');
}

/** With the marks that belong to it. */
function firstLetter(word: string | undefined): string {
  return word === undefined ? '' : (/[\p{L}\p{N}]\p{M}*/u.exec(word)?.[0] ?? '');
}
