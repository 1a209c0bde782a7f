/**
 * Writes protobuf fields into a buffer of exactly the right size. By hand, because every message passes here and
 * protobuf-es takes several times as long; a test holds it to the same bytes.
 */
export class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  varint(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.#at++] = tag;
    this.#raw(value);
  }

  /** A text whose length in bytes is known; texts of ASCII characters are their own length. */
  text(tag: number, text: string, size = text.length): void {
    if (size === 0) return;
    this.repeatedText(tag, text, size);
  }

  /** As `text`, but written even when it is empty, as elements of a repeated field are. */
  repeatedText(tag: number, text: string, size = text.length): void {
    this.bytes[this.#at++] = tag;
    this.#raw(size);
    this.bytes.write(text, this.#at, size === text.length ? 'latin1' : 'utf8');
    this.#at += size;
  }

  data(tag: number, data: Uint8Array): void {
    if (data.length === 0) return;
    this.bytes[this.#at++] = tag;
    this.#raw(data.length);
    this.bytes.set(data, this.#at);
    this.#at += data.length;
  }

  /** Head of an embedded message of `size` bytes, whose fields follow. */
  head(tag: number, size: number): void {
    this.bytes[this.#at++] = tag;
    this.#raw(size);
  }

  #raw(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.#at++] = rest;
  }
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Size of a field with a number; 0 is left out. All our field numbers are below 16: one byte of tag. */
export const numberField = (value: number): number => (value === 0 ? 0 : 1 + varintSize(value));
/** Size of a field of `size` bytes, which is there even when empty. */
export const lengthField = (size: number): number => 1 + varintSize(size) + size;
/** As `lengthField`, but left out when empty. */
export const bytesField = (size: number): number => (size === 0 ? 0 : lengthField(size));
