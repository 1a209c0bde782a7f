/** Languages there are texts for. */
export const LANGUAGES = ['en', 'zh-TW'] as const;

/** One of {@link LANGUAGES}. */
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', 'zh-TW': '繁體中文' };

/** The language nearest to a BCP 47 tag; undefined when none is near. */
export function nearest(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split(/[-_]/)[0];
  if (primary === 'zh') return 'zh-TW';
  return primary === 'en' ? 'en' : undefined;
}

/** The first wish that can be met: what was chosen here, the directory's language, the browser's. */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const found = wish ? nearest(wish) : undefined;
    if (found) return found;
  }
  return 'en';
}

/** The locale for times and numbers: the browser's own variant of the language (en-GB), when it has one. */
export function formatLocale(language: Language, browser: readonly string[]): string {
  return browser.find(tag => nearest(tag) === language && !/^zh-(cn|hans|sg)/i.test(tag)) ?? language;
}
