import { type ArchivedRecord, isReadable } from '../../domain/record.ts';

/**
 * Reads of a `parley.event.v1.ArchiveRecord` what archiving needs. By hand, because every record passes here; a test
 * holds it to what protobuf-es reads.
 */
export function decodeRecord(bytes: Uint8Array): ArchivedRecord | undefined {
  const reader = new Reader(bytes);
  let version = 0;
  let kind = 0;
  let recordId = '';
  let conversationId = '';
  let senderId = '';
  let acceptedMs = 0;
  let contentHash: Uint8Array = NOTHING;
  const recipientIds: string[] = [];
  while (reader.more()) {
    switch (reader.tag()) {
      case 0x08:
        version = reader.varint();
        break;
      case 0x12:
        recordId = reader.text();
        break;
      case 0x18:
        kind = reader.varint();
        break;
      case 0x22:
        conversationId = reader.text();
        break;
      case 0x2a:
        senderId = reader.text();
        break;
      case 0x32:
        recipientIds.push(reader.text());
        break;
      case 0x40:
        acceptedMs = reader.varint();
        break;
      case 0x4a:
        contentHash = reader.data();
        break;
      default:
        reader.skip(KNOWN);
    }
  }
  if (reader.broken || version < 1 || (kind !== IM_EVENT && kind !== NOT_ACCEPTED)) return undefined;
  const record: ArchivedRecord = {
    kind: kind === IM_EVENT ? 'event' : 'not-accepted',
    ...{ recordId, conversationId, senderId, recipientIds, acceptedMs, contentHash },
  };
  return isReadable(record) ? record : undefined;
}

const IM_EVENT = 1;
const NOT_ACCEPTED = 2;
const NOTHING = new Uint8Array();
/** Numbers of the fields that are read. */
const KNOWN: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 8, 9]);

/** Walks over protobuf fields; whatever does not fit marks it broken and ends it. */
class Reader {
  broken = false;
  readonly #bytes: Buffer;
  #at = 0;
  #tag = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  more(): boolean {
    return !this.broken && this.#at < this.#bytes.length;
  }

  tag(): number {
    this.#tag = this.varint();
    if (this.#tag < 8) this.#break();
    return this.#tag;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return this.#break();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.#break();
  }

  data(): Uint8Array {
    const size = this.varint();
    const end = this.#at + size;
    if (this.broken || end > this.#bytes.length) {
      this.#break();
      return NOTHING;
    }
    const data = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return data;
  }

  text(): string {
    const data = this.data();
    return (data as Buffer).length === 0 ? '' : (data as Buffer).toString('utf8');
  }

  /** Passes over a field, unless it is one of `known` in a form that it never has. */
  skip(known: ReadonlySet<number>): void {
    if (known.has(this.#tag >>> 3)) this.#break();
    switch (this.#tag & 7) {
      case 0:
        this.varint();
        break;
      case 1:
        this.#jump(8);
        break;
      case 2:
        this.data();
        break;
      case 5:
        this.#jump(4);
        break;
      default:
        this.#break();
    }
  }

  #jump(size: number): void {
    this.#at += size;
    if (this.#at > this.#bytes.length) this.#break();
  }

  #break(): number {
    this.broken = true;
    return 0;
  }
}
