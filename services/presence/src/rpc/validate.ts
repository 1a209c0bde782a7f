import { err } from '../errors.ts';

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const ENDPOINT = /^[A-Za-z0-9_-]{8,64}$/;
const POD = /^[A-Za-z0-9_.:-]{1,128}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The value, if it is an id as services make them. */
export const id = (value: string, field: string): string =>
  check(ID, value, field, '1 to 64 characters of A-Z a-z 0-9 _ -');

export const endpointId = (value: string, field: string): string =>
  check(ENDPOINT, value, field, '8 to 64 characters of A-Z a-z 0-9 _ -');

export const podName = (value: string, field: string): string =>
  check(POD, value, field, '1 to 128 characters of A-Z a-z 0-9 _ . : -');

/** A request id in the form in which it is remembered. */
export const requestId = (value: string): string => check(UUID, value, 'request_id', 'a UUID').toLowerCase();

function check(rule: RegExp, value: string, field: string, text: string): string {
  if (!rule.test(value)) throw err('presence.invalid_id', { field, params: { rule: text } });
  return value;
}

/** Ids, 1 to `most`. */
export function ids(values: readonly string[], field: string, most: number): readonly string[] {
  if (values.length === 0) throw err('presence.required', { field });
  atMost(values, field, most);
  for (let i = 0; i < values.length; i++) if (!ID.test(values[i] as string)) id(values[i] as string, `${field}.${i}`);
  return values;
}

export function atMost(values: readonly unknown[], field: string, most: number): void {
  if (values.length > most) throw err('presence.too_many', { field, params: { limit: most } });
}

export function inRange(value: number, field: string, min: number, max: number): number {
  if (value < min || value > max) throw err('presence.out_of_range', { field, params: { min, max } });
  return value;
}

/** A number of a 64-bit field that doubles can hold. */
export function safe(value: bigint, field: string): number {
  const number = Number(value);
  if (number < 0 || !Number.isSafeInteger(number))
    throw err('presence.out_of_range', { field, params: { min: 0, max: Number.MAX_SAFE_INTEGER } });
  return number;
}

/** The word for a value of an enum; 0 and values of a later version are refused. */
export function word<T>(words: readonly (T | undefined)[], value: number, field: string): T {
  const found = words[value];
  if (found === undefined) throw err(value === 0 ? 'presence.required' : 'presence.unknown_value', { field });
  return found;
}
