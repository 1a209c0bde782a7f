import type { PersonRef } from '../app/find-person.ts';
import { address, invalid, isId, line, tooLong } from '../app/input.ts';
import type { GroupPlace } from '../app/read-groups.ts';
import { directoryErrors as err } from '../errors.ts';

export { address, atMost, invalid, language, line, password, site } from '../app/input.ts';

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function id(value: string, field: string): string {
  if (value === '') throw err('directory.field_missing', { field });
  if (!isId(value)) throw invalid(field, 'an id of 1 to 64 letters, digits, _ and -');
  return value;
}

export function uuid(value: string, field: string): string {
  if (value === '') throw err('directory.field_missing', { field });
  const lower = value.toLowerCase();
  if (!uuidForm.test(lower)) throw invalid(field, 'a UUID');
  return lower;
}

export function personRef(value: string, field = 'person'): PersonRef {
  return value.includes('@') ? { address: address(value, field) } : { id: id(value, field) };
}

export function opaque(value: string, field: string, limit: number): string {
  if (value === '') throw err('directory.field_missing', { field });
  if (value.length > limit) throw tooLong(field, limit, 'bytes');
  return value;
}

/** 0 stands for `fallback`. */
export function limit(value: number, field: string, most: number, fallback: number): number {
  if (value === 0) return fallback;
  if (value > most) throw err('directory.too_many', { field, params: { limit: most } });
  return value;
}

/** Cursors hold the last id of a page: nothing secret, nothing to trust. */
export function cursor(value: string, field: string): string | undefined {
  if (value === '') return undefined;
  const lastId = value.length <= 128 ? Buffer.from(value, 'base64url').toString('latin1') : '';
  if (!isId(lastId) || formatCursor(lastId) !== value) throw err('directory.cursor_invalid', { field });
  return lastId;
}

export function formatCursor(lastId: string | undefined): string {
  return lastId === undefined ? '' : Buffer.from(lastId, 'latin1').toString('base64url');
}

/** A group's name, or its id, which reads like a name. */
export function groupRef(value: string, field: string): string {
  return line(value, field, 256, true);
}

export function groupCursor(value: string, field: string): GroupPlace | undefined {
  if (value === '') return undefined;
  const [id = '', ...rest] = value.length <= 512 ? Buffer.from(value, 'base64url').toString('utf8').split(' ') : [];
  const place = { id, sortName: rest.join(' ') };
  if (!isId(id) || formatGroupCursor(place) !== value) throw err('directory.cursor_invalid', { field });
  return place;
}

export function formatGroupCursor(place: GroupPlace | undefined): string {
  return place === undefined ? '' : Buffer.from(`${place.id} ${place.sortName}`, 'utf8').toString('base64url');
}
