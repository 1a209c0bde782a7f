import type { DatabaseSync } from 'node:sqlite';
import type { LogRecord } from '../../event-log.ts';
import { MAX_BATCH_BYTES } from '../../limits.ts';
import { SLOT_SIZE, statements } from './schema.ts';

/** A partition of the log: where its records lie, and how far they are known to reach. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly base: number;
  readonly slot: number;
  /** Next offset to be written as far as known to be durable; only grows. */
  high: number;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** First offset that is not trimmed. */
export function lowOf(db: DatabaseSync, { slot }: Partition): number {
  return Number(statements(db).low.get(slot)?.['low'] ?? 0);
}

/** Next offset to be written, as this connection sees it. */
export function nextOf(db: DatabaseSync, partition: Partition): number {
  const row = statements(db).last.get(partition.base, partition.base + SLOT_SIZE);
  return row === undefined ? lowOf(db, partition) : (row['id'] as number) - partition.base + 1;
}

interface Row {
  readonly id: number;
  readonly at: number;
  readonly key: string;
  readonly headers: string | null;
  readonly value: Uint8Array;
}

/**
 * At most `limit` contiguous, durable records from the first one at or above `from`, and not many more bytes than a batch
 * may have. The connection shows more than that: what is written but not yet safe on the disk.
 */
export function readRecords(db: DatabaseSync, partition: Partition, from: number, limit: number): LogRecord[] {
  const records: LogRecord[] = [];
  const { base } = partition;
  const start = Math.max(from, lowOf(db, partition));
  let bytes = 0;
  let expected = -1;
  for (const raw of statements(db).range.iterate(base + start, base + partition.high, limit)) {
    const row = raw as unknown as Row;
    const offset = row.id - base;
    bytes += row.value.byteLength;
    if (records.length > 0 && (offset !== expected || bytes > MAX_BATCH_BYTES)) break;
    expected = offset + 1;
    records.push({
      partition: partition.partition,
      offset,
      key: row.key,
      value: row.value,
      headers: row.headers === null ? NO_HEADERS : (JSON.parse(row.headers) as Record<string, string>),
      timestampMs: row.at,
    });
  }
  return records;
}
