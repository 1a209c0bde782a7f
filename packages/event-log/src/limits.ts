import { AppendError, EventLogError } from './errors.ts';
import type { AppendRecord, TopicSpec } from './event-log.ts';

/** Most bytes of a record's value. */
export const MAX_VALUE_BYTES = 1024 * 1024;
/** Most bytes of a record's key, in UTF-8. */
export const MAX_KEY_BYTES = 256;
/** Most records of one `append`. */
export const MAX_APPEND_RECORDS = 10_000;
/** Most bytes of values in one `append`. */
export const MAX_APPEND_BYTES = 16 * 1024 * 1024;
/** Most headers of a record; a name has at most 128 bytes, a value at most 4,096. */
export const MAX_HEADERS = 32;
/** Most records of one batch or one `read`. */
export const MAX_BATCH_RECORDS = 10_000;
/** Bytes of values after which a batch is closed; it always holds at least one record. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Most partitions of a topic. */
export const MAX_PARTITIONS = 256;
/** `deadlineMs` when the caller gives none, milliseconds. */
export const DEFAULT_DEADLINE_MS = 2000;
/** `maxBatch` when the caller gives none. */
export const DEFAULT_MAX_BATCH = 2000;

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_DEADLINE_MS = 60_000;

/** Throws an {@link AppendError} (`refused`) unless all of it can be appended. */
export function checkAppend(records: readonly AppendRecord[], deadlineMs: number): void {
  if (!(deadlineMs >= 1 && deadlineMs <= MAX_DEADLINE_MS))
    refuse('invalid', `deadlineMs must be 1 to ${MAX_DEADLINE_MS}`);
  if (records.length > MAX_APPEND_RECORDS) refuse('too_large', `at most ${MAX_APPEND_RECORDS} records at once`);
  let total = 0;
  for (let i = 0; i < records.length; i++) {
    const { key, value, headers } = records[i] as AppendRecord;
    if (
      key.length === 0 ||
      key.length > MAX_KEY_BYTES ||
      (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES)
    ) {
      refuse('invalid', `records[${i}].key must be 1 to ${MAX_KEY_BYTES} bytes`);
    }
    if (!key.isWellFormed()) refuse('invalid', `records[${i}].key is not well-formed Unicode`);
    if (value.byteLength > MAX_VALUE_BYTES) refuse('too_large', `records[${i}].value exceeds ${MAX_VALUE_BYTES} bytes`);
    if (headers !== undefined) checkHeaders(headers, i);
    total += value.byteLength;
  }
  if (total > MAX_APPEND_BYTES) refuse('too_large', `at most ${MAX_APPEND_BYTES} bytes at once`);
}

function checkHeaders(headers: Readonly<Record<string, string>>, i: number): void {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) refuse('too_large', `records[${i}].headers has more than ${MAX_HEADERS} entries`);
  for (const name of names) {
    const value = headers[name] as string;
    if (name.length === 0 || Buffer.byteLength(name) > 128 || !name.isWellFormed()) {
      refuse('invalid', `records[${i}].headers has a name that is not 1 to 128 bytes`);
    }
    if (Buffer.byteLength(value) > 4096 || !value.isWellFormed()) {
      refuse('invalid', `records[${i}].headers has a value of more than 4096 bytes`);
    }
  }
}

function refuse(code: 'invalid' | 'too_large', message: string): never {
  throw new AppendError('refused', code, message);
}

/** Throws an {@link EventLogError} for a topic that cannot be created. */
export function checkTopic({ name, partitions }: TopicSpec): void {
  if (!NAME.test(name))
    throw new EventLogError('invalid', `topic name ${JSON.stringify(name.slice(0, 220))} is not allowed`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new EventLogError('invalid', `topic ${name} must have 1 to ${MAX_PARTITIONS} partitions`);
  }
}

/** Throws an {@link EventLogError} for a name of a group that is not allowed. */
export function checkGroup(group: string): void {
  if (!NAME.test(group))
    throw new EventLogError('invalid', `group ${JSON.stringify(group.slice(0, 220))} is not allowed`);
}

/** Throws an {@link EventLogError} unless `value` is a whole number in [low, high]. */
export function checkInteger(what: string, value: number, low: number, high: number): void {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new EventLogError('invalid', `${what} must be a whole number from ${low} to ${high}`);
  }
}
