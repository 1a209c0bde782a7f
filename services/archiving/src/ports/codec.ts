import type { ArchivedRecord } from '../domain/record.ts';

/** Reads what is in the log. */
export interface RecordCodec {
  /** Undefined when the bytes are no record that can be filed. */
  decode(bytes: Uint8Array): ArchivedRecord | undefined;
}
