import { normaliseAddress } from '../domain/address.ts';
import { maxPasswordBytes } from '../domain/password.ts';
import { hasUnsafeCharacters, languageTag, length, tidy } from '../domain/text.ts';
import { directoryErrors as err } from '../errors.ts';

const idForm = /^[A-Za-z0-9_-]{1,64}$/;

export function isId(value: string): boolean {
  return idForm.test(value);
}

/** The normalised address. */
export function address(value: string, field: string): string {
  const result = normaliseAddress(value);
  if (result.ok) return result.address;
  if (result.problem === 'missing') throw err('directory.field_missing', { field });
  if (result.problem === 'too_long') throw tooLong(field, 320, 'bytes');
  throw err('directory.address_invalid', { field });
}

/** One line of text, tidied; at most `limit` characters. */
export function line(value: string, field: string, limit: number, required: boolean): string {
  // Code points are at most two code units: no need to look at all of an oversized text.
  if (value.length > 2 * limit + 64) throw tooLong(field, limit, 'characters');
  const text = tidy(value);
  if (text === '' && required) throw err('directory.field_missing', { field });
  if (length(text) > limit) throw tooLong(field, limit, 'characters');
  if (hasUnsafeCharacters(text)) throw invalid(field, 'text without control characters');
  return text;
}

/** A password as somebody typed it; whether it is good enough is decided elsewhere. */
export function password(value: string, field: string): string {
  if (value === '') throw err('directory.field_missing', { field });
  if (value.length > maxPasswordBytes || Buffer.byteLength(value) > maxPasswordBytes) {
    throw tooLong(field, maxPasswordBytes, 'bytes');
  }
  return value;
}

export function language(value: string, field: string): string {
  if (value === '') return '';
  if (value.length > 35) throw tooLong(field, 35, 'characters');
  const tag = languageTag(value);
  if (tag === undefined || tag.length > 35) throw invalid(field, 'a BCP 47 language tag');
  return tag;
}

export function site(value: string, field: string): string {
  if (value === '') return '';
  if (value.length > 64) throw tooLong(field, 64, 'characters');
  if (!isId(value)) throw invalid(field, 'made of letters, digits, _ and -');
  return value;
}

export function atMost(values: readonly unknown[], field: string, most: number): void {
  if (values.length > most) throw err('directory.too_many', { field, params: { limit: most } });
}

export function invalid(field: string, expected: string) {
  return err('directory.field_invalid', { field, params: { expected } });
}

export function tooLong(field: string, most: number, unit: string) {
  return err('directory.too_long', { field, params: { limit: most, unit } });
}
