import type { PersonRef } from '../app/find-person.ts';
import { normaliseAddress } from '../domain/address.ts';
import { maxPasswordBytes } from '../domain/password.ts';
import { hasUnsafeCharacters, languageTag, length, tidy } from '../domain/text.ts';
import { directoryErrors as err } from '../errors.ts';

const idForm = /^[A-Za-z0-9_-]{1,64}$/;
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function id(value: string, field: string): string {
  if (value === '') throw err('directory.field_missing', { field });
  if (!idForm.test(value)) throw invalid(field, 'an id of 1 to 64 letters, digits, _ and -');
  return value;
}

export function uuid(value: string, field: string): string {
  if (value === '') throw err('directory.field_missing', { field });
  const lower = value.toLowerCase();
  if (!uuidForm.test(lower)) throw invalid(field, 'a UUID');
  return lower;
}

/** The normalised address. */
export function address(value: string, field: string): string {
  const result = normaliseAddress(value);
  if (result.ok) return result.address;
  if (result.problem === 'missing') throw err('directory.field_missing', { field });
  if (result.problem === 'too_long') throw tooLong(field, 320, 'bytes');
  throw err('directory.address_invalid', { field });
}

export function personRef(value: string, field = 'person'): PersonRef {
  return value.includes('@') ? { address: address(value, field) } : { id: id(value, field) };
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

export function opaque(value: string, field: string, limit: number): string {
  if (value === '') throw err('directory.field_missing', { field });
  if (value.length > limit) throw tooLong(field, limit, 'bytes');
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
  if (!idForm.test(value)) throw invalid(field, 'made of letters, digits, _ and -');
  return value;
}

/** 0 stands for `fallback`. */
export function limit(value: number, field: string, most: number, fallback: number): number {
  if (value === 0) return fallback;
  if (value > most) throw err('directory.too_many', { field, params: { limit: most } });
  return value;
}

export function atMost(values: readonly unknown[], field: string, most: number): void {
  if (values.length > most) throw err('directory.too_many', { field, params: { limit: most } });
}

/** Cursors hold the last id of a page: nothing secret, nothing to trust. */
export function cursor(value: string, field: string): string | undefined {
  if (value === '') return undefined;
  const lastId = value.length <= 128 ? Buffer.from(value, 'base64url').toString('latin1') : '';
  if (!idForm.test(lastId) || formatCursor(lastId) !== value) throw err('directory.cursor_invalid', { field });
  return lastId;
}

export function formatCursor(lastId: string | undefined): string {
  return lastId === undefined ? '' : Buffer.from(lastId, 'latin1').toString('base64url');
}

export function invalid(field: string, expected: string) {
  return err('directory.field_invalid', { field, params: { expected } });
}

function tooLong(field: string, most: number, unit: string) {
  return err('directory.too_long', { field, params: { limit: most, unit } });
}
