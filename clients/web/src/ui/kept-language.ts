import { LANGUAGES, type Language } from '../i18n/language.ts';

const KEY = 'parley.language';
const listeners = new Set<() => void>();

/** The language chosen in this browser; undefined when none was. */
export function keptLanguage(): Language | undefined {
  const kept = localStorage.getItem(KEY);
  return LANGUAGES.find(language => language === kept);
}

/** Chooses a language for all tabs of this browser; undefined: whatever directory and browser say. */
export function keepLanguage(language: Language | undefined): void {
  if (language === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, language);
  for (const listener of [...listeners]) listener();
}

/** Calls `listener` when the choice changes, in this tab or another. */
export function onLanguageKept(listener: () => void): () => void {
  const onStorage = (event: StorageEvent) => event.key === KEY && listener();
  addEventListener('storage', onStorage);
  listeners.add(listener);
  return () => {
    removeEventListener('storage', onStorage);
    listeners.delete(listener);
  };
}
