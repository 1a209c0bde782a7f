import { commonNameOf } from './ldif/dn.ts';

/** Whether text holds what no name, title or address has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
export const hasControl = (text: string): boolean => /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text);

const YES = new Set(['true', 'yes', 'y', '1', 'on', 'active', 'enabled', 'allowed', '是', '啟用', '在職']);
const NO = new Set([
  'false',
  'no',
  'n',
  '0',
  'off',
  'inactive',
  'disabled',
  'terminated',
  'blocked',
  '否',
  '停用',
  '離職',
]);

/** Yes or no in the words that systems use; undefined for any other. */
export function yesOrNo(text: string): boolean | undefined {
  const word = text.normalize('NFKC').trim().toLowerCase();
  return YES.has(word) ? true : NO.has(word) ? false : undefined;
}

/** The values of a cell that holds several, separated by `;`, `|` or line feeds. */
export const listOf = (cell: string): string[] =>
  cell
    .split(/[;|\n]/)
    .map(value => value.trim())
    .filter(value => value !== '');

/** Mail addresses of a `proxyAddresses`-like list: `SMTP:` marks the primary one, other kinds are left out. */
export function mailAddresses(values: readonly string[]): {
  readonly primary?: string;
  readonly all: readonly string[];
} {
  const found = values.flatMap(value => {
    const [, kind, address] = /^(?:([A-Za-z0-9]+):)?(.*)$/s.exec(value.trim()) ?? [];
    if (!address || (kind !== undefined && kind.toLowerCase() !== 'smtp' && kind.toLowerCase() !== 'mailto')) return [];
    return [{ address: address.trim(), primary: kind === 'SMTP' }];
  });
  const primary = found.find(one => one.primary)?.address;
  return { ...(primary !== undefined && { primary }), all: found.map(one => one.address) };
}

/** Names of groups: of a distinguished name, its first value. Once each. */
export const groupNames = (values: readonly string[]): string[] => [
  ...new Set(values.map(value => commonNameOf(value) ?? value.trim()).filter(name => name !== '')),
];

/** Whether two addresses are the same to everybody. */
export const sameAddress = (a: string, b: string): boolean => addressKey(a) === addressKey(b);

/** One spelling for the same address. */
export const addressKey = (address: string): string => address.trim().normalize('NFKC').toLowerCase();

/** The other addresses of somebody: once each, without the primary one. */
export function otherThan(address: string, all: readonly string[]): string[] {
  const seen = new Set([addressKey(address)]);
  return all.filter(one => {
    const key = addressKey(one);
    return !seen.has(key) && seen.add(key);
  });
}

/** A name to show, made of its parts: the surname first and without a space where names are written so. */
export function nameOfParts(given: string, surname: string): string {
  const eastern = /^[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}]+$/u;
  if (eastern.test(given) && eastern.test(surname)) return `${surname}${given}`;
  return [given, surname].filter(part => part !== '').join(' ');
}

/** First tag of a list of languages (RFC 2798 allows `zh-TW, en;q=0.8`), with dashes. */
export const firstLanguage = (text: string): string => (text.split(/[,;]/, 1)[0] as string).trim().replaceAll('_', '-');
