import type { ArchivedRecord, FullRecord, IndexedRecord, ParkReason } from '../domain/record.ts';

/** Reads what is in the log. */
export interface RecordCodec {
  /** Undefined when the bytes are no record that can be filed. */
  decode(bytes: Uint8Array): ArchivedRecord | undefined;
  /** Why `decode` cannot read them. */
  whyParked(bytes: Uint8Array): ParkReason;
  /** What the index needs; undefined when it cannot be read. */
  decodeIndexed(bytes: Uint8Array): IndexedRecord | undefined;
  /** All of it; undefined when it cannot be read. */
  decodeFull(bytes: Uint8Array): FullRecord | undefined;
}
