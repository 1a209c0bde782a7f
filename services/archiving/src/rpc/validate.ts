import type { ArchiveQuery, Purpose as PurposeMessage } from '@parley/contracts/archive/v1/archive';
import type { AskedQuery } from '../app/asked-query.ts';
import type { Purpose } from '../domain/audit-entry.ts';
import { wordsQuery } from '../domain/words.ts';
import { archivingErrors as err } from '../errors.ts';

const MOST_CASE = 128;
const MOST_REASON = 1_024;
const MOST_PEOPLE = 50;
const MOST_WORDS = 256;
const MOST_ADDRESS = 320;
const LATEST_MS = 253_402_300_800_000n;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** One line of text that is not empty, without blanks around it. */
function line(value: string, field: string, limit: number): string {
  const text = value.trim();
  if (text === '') throw err('archive.field_missing', { field });
  if ([...text].length > limit) throw err('archive.field_too_long', { field, params: { limit, unit: 'characters' } });
  if (CONTROL.test(text) || !text.isWellFormed())
    throw err('archive.field_invalid', { field, params: { wanted: 'one line of text' } });
  return text;
}

export function purposeOf(purpose: PurposeMessage | undefined): Purpose {
  return {
    caseId: line(purpose?.caseId ?? '', 'purpose.case_id', MOST_CASE),
    reason: line(purpose?.reason ?? '', 'purpose.reason', MOST_REASON),
  };
}

export const caseOf = (value: string): string => (value === '' ? '' : line(value, 'case_id', MOST_CASE));

/** An id, or an address in the form in which addresses are compared. */
export function personOf(value: string, field: string): string {
  const text = value.normalize('NFKC').trim();
  if (!text.includes('@')) {
    if (!/^[A-Za-z0-9_.:-]{1,100}$/.test(text))
      throw err('archive.field_invalid', { field, params: { wanted: 'an id or an address' } });
    return text;
  }
  if (Buffer.byteLength(text) > MOST_ADDRESS)
    throw err('archive.field_too_long', { field, params: { limit: MOST_ADDRESS, unit: 'bytes' } });
  if (!/^[^\s@]+@[^\s@]+$/u.test(text) || CONTROL.test(text))
    throw err('archive.field_invalid', { field, params: { wanted: 'an id or an address' } });
  return text.toLowerCase();
}

export function timeOf(value: bigint, field: string): number {
  if (value < 0n || value >= LATEST_MS)
    throw err('archive.field_invalid', { field, params: { wanted: 'milliseconds since 1970-01-01 UTC' } });
  return Number(value);
}

/** A range of time; `prefix` is the path of the message that holds it. */
export function rangeOf(from: bigint, until: bigint, prefix: string): { fromMs: number; untilMs: number } {
  const fromMs = timeOf(from, `${prefix}from_ms`);
  const untilMs = timeOf(until, `${prefix}until_ms`);
  if (untilMs !== 0 && untilMs <= fromMs)
    throw err('archive.field_invalid', { field: `${prefix}until_ms`, params: { wanted: 'later than from_ms' } });
  return { fromMs, untilMs };
}

export function queryOf(query: ArchiveQuery | undefined): AskedQuery {
  const people = query?.people ?? [];
  if (people.length > MOST_PEOPLE)
    throw err('archive.field_too_long', { field: 'query.people', params: { limit: MOST_PEOPLE, unit: 'people' } });
  const words = (query?.words ?? '').trim();
  if ([...words].length > MOST_WORDS || words.length > MOST_WORDS * 2)
    throw err('archive.field_too_long', { field: 'query.words', params: { limit: MOST_WORDS, unit: 'characters' } });
  if (!words.isWellFormed() || (words !== '' && !wordsQuery(words)))
    throw err('archive.field_invalid', { field: 'query.words', params: { wanted: 'words, not only punctuation' } });
  const conversationId = query?.conversationId ?? '';
  if (!/^[A-Za-z0-9_.:-]{0,100}$/.test(conversationId))
    throw err('archive.field_invalid', { field: 'query.conversation_id', params: { wanted: 'id of a conversation' } });
  return {
    people: [...new Set(people.map((person, i) => personOf(person, `query.people[${i}]`)))],
    anyPerson: query?.anyPerson ?? false,
    ...rangeOf(query?.fromMs ?? 0n, query?.untilMs ?? 0n, 'query.'),
    ...{ words, conversationId },
  };
}

export function recordIdOf(value: string): string {
  if (value === '') throw err('archive.field_missing', { field: 'record_id' });
  if (!/^[A-Za-z0-9_.:~!/-]{1,256}$/.test(value))
    throw err('archive.field_invalid', { field: 'record_id', params: { wanted: 'id of a record' } });
  return value;
}

/** 0 stands for `fallback`. */
export function atMost(value: number, field: string, limit: number, fallback: number): number {
  if (value > limit) throw err('archive.field_invalid', { field, params: { wanted: `at most ${limit}` } });
  return value === 0 ? fallback : value;
}
