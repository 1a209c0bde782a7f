import { createContext, Fragment, type ReactNode, use } from 'react';
import type { Catalogue, TextKey } from '../i18n/en.ts';
import type { Language } from '../i18n/language.ts';
import { fill, pieces, refusalText } from '../i18n/texts.ts';
import type { Times } from '../i18n/time.ts';
import type { Refusal } from '../tabs/protocol.ts';

/** Words and times in the person's language. */
export interface Texts {
  readonly language: Language;
  /** What was chosen in this browser; undefined: the directory's or the browser's language. */
  readonly chosen: Language | undefined;
  choose(language: Language | undefined): void;
  t(key: TextKey, values?: Readonly<Record<string, string | number>>): string;
  /** A text with elements in it. */
  rich(key: TextKey, values: Readonly<Record<string, ReactNode>>): ReactNode;
  refusal(refusal: Refusal): string;
  readonly times: Times;
}

const Context = createContext<Texts | undefined>(undefined);
export const TextsProvider = Context.Provider;

export function useTexts(): Texts {
  const texts = use(Context);
  if (!texts) throw new Error('outside of TextsProvider');
  return texts;
}

/** See {@link Texts}. */
export function createTexts(
  catalogue: Catalogue,
  times: Times,
  rest: Pick<Texts, 'language' | 'chosen' | 'choose'>,
): Texts {
  return {
    ...rest,
    times,
    t: (key, values) => fill(catalogue[key], values),
    rich: (key, values) =>
      pieces(catalogue[key]).map((piece, i) => (
        <Fragment key={i}>{piece.value ? values[piece.text] : piece.text}</Fragment>
      )),
    refusal: refusal => refusalText(catalogue, refusal),
  };
}
