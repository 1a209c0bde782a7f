import type { Refusal } from '../tabs/protocol.ts';
import type { Catalogue, TextKey } from './en.ts';
import type { Language } from './language.ts';

/** Fetches the texts of a language; each is a file of its own. */
export async function loadCatalogue(language: Language): Promise<Catalogue> {
  if (language === 'zh-TW') return (await import('./zh-tw.ts')).zhTW;
  return (await import('./en.ts')).en;
}

/** Puts values into a text. */
export function fill(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return text.replaceAll(/\{(\w+)\}/g, (braces, name: string) => String(values[name] ?? braces));
}

/** A text in pieces, for values that are elements: a name that keeps its own direction, for example. */
export function pieces(text: string): readonly { readonly text: string; readonly value: boolean }[] {
  return text
    .split(/(\{\w+\})/)
    .filter(part => part !== '')
    .map(part => (/^\{\w+\}$/.test(part) ? { text: part.slice(1, -1), value: true } : { text: part, value: false }));
}

/** What a person is told about a refusal. */
export function refusalText(catalogue: Catalogue, refusal: Refusal): string {
  const key = `error.${refusal.code}`;
  const known = Object.hasOwn(catalogue, key);
  const text = known
    ? fill(catalogue[key as TextKey], refusal.params)
    : fill(catalogue['error.unknown'], { code: refusal.code });
  const seconds = Math.ceil((refusal.retryAfterMs ?? 0) / 1_000);
  const space = /[\u3000-\u303f\uff00-\uffef]$/.test(text) ? '' : ' ';
  return seconds > 0 ? `${text}${space}${fill(catalogue['error.wait'], { seconds })}` : text;
}
