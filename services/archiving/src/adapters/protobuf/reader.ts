export const NOTHING = new Uint8Array();

/** Walks over protobuf fields; whatever does not fit marks it broken and ends it. */
export class Reader {
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
