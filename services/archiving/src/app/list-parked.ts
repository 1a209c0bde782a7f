import { rawHashOf } from '../domain/link.ts';
import type { ParkReason } from '../domain/record.ts';
import { archivingErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { ContentStore } from '../ports/archive-store.ts';

const PARKED_CAP = 100_000;
/** A record has up to 1 MiB, and its bytes are read for size and hash. */
const READ_AT_ONCE = 10;

/** A record that could not be processed, without its content. */
export interface ParkedRecord {
  readonly place: string;
  readonly parkedMs: number;
  /** Undefined when it was parked by a version that did not say. */
  readonly reason: ParkReason | undefined;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ParkedRecords {
  readonly records: readonly ParkedRecord[];
  readonly next: string | undefined;
}

/** Records that could not be processed, oldest first. */
export function createListParked({ contents }: { readonly contents: ContentStore }) {
  return async (limit: number, cursor: string | undefined): Promise<ParkedRecords> => {
    const records: ParkedRecord[] = [];
    let next = cursor;
    do {
      const page = await contents.listParked(Math.min(READ_AT_ONCE, limit - records.length), next);
      if (!page) throw archivingErrors('archive.cursor_invalid', { field: 'cursor' });
      for (const { place, parkedMs = 0, parkReason, raw } of page.contents) {
        const sha256 = Buffer.from(rawHashOf(raw)).toString('hex');
        records.push({ place, parkedMs, reason: parkReason, size: raw.length, sha256 });
      }
      ({ next } = page);
    } while (next !== undefined && records.length < limit);
    return { records, next };
  };
}

/** Counts what is parked, for the status and for the metric that alerts. */
export function createCountParked(contents: ContentStore, telemetry: Telemetry): () => Promise<number> {
  return async () => {
    const count = await contents.countParked(PARKED_CAP);
    telemetry.parked(count);
    return count;
  };
}
