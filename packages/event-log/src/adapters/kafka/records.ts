import type { LogRecord } from '../../event-log.ts';
import type { RawMessage } from './kafkajs-internals.ts';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** A record as the log gives it out. */
export function toRecord(partition: number, message: RawMessage): LogRecord {
  const { key, value, headers } = message;
  return {
    partition,
    offset: toNumber(message.offset),
    key: key?.toString() ?? '',
    value: value ?? new Uint8Array(),
    headers: headers === undefined ? NO_HEADERS : toHeaders(headers),
    timestampMs: Number(message.timestamp),
  };
}

function toHeaders(raw: NonNullable<RawMessage['headers']>): Readonly<Record<string, string>> {
  let headers: Record<string, string> | undefined;
  for (const name in raw) {
    const value = raw[name];
    headers ??= {};
    headers[name] = String((Array.isArray(value) ? value.at(-1) : value) ?? '');
  }
  return headers ?? NO_HEADERS;
}

/** An offset as a number; throws beyond 2^53. */
export function toNumber(offset: string | { toString(): string }): number {
  const value = Number(offset.toString());
  if (!Number.isSafeInteger(value)) throw new Error(`offset ${offset} is beyond 2^53`);
  return value;
}
