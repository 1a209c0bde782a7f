/** Code points, as people count characters. */
export function length(text: string): number {
  let n = 0;
  for (const _ of text) n++;
  return n;
}

/** Trimmed, NFC, spaces of every kind as one. */
export function tidy(text: string): string {
  return text
    .replace(/\p{Z}+/gu, ' ')
    .trim()
    .normalize('NFC');
}

/** Control characters, and marks that turn the direction of what follows: they let one name pass for another. */
export function hasUnsafeCharacters(text: string): boolean {
  return /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u.test(text);
}

/** The canonical spelling of a BCP 47 tag; undefined for what is none. */
export function languageTag(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}
