import type { ParkReason } from '../../domain/record.ts';
import { KNOWN_VERSION } from './decode-record.ts';
import { Reader } from './reader.ts';

const NONE: ReadonlySet<number> = new Set();

/** Why bytes cannot be filed. Looks only at what every version has: the fields' structure, version and kind. */
export function whyParked(bytes: Uint8Array): ParkReason {
  const reader = new Reader(bytes);
  let version = 0;
  let kind = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) version = reader.varint();
    else if (tag === 0x18) kind = reader.varint();
    else reader.skip(NONE);
  }
  if (reader.broken || version < 1) return 'not_a_record';
  if (version > KNOWN_VERSION) return 'unknown_version';
  return kind === 1 || kind === 2 ? 'invalid' : 'unknown_kind';
}
