/** Encoded messages between a stream's handler and the one who reads it in the same process. */
export class MessageQueue {
  #items: Uint8Array[] = [];
  #bytes = 0;
  #closed = false;
  #error: Error | undefined = undefined;
  #wake: (() => void) | undefined = undefined;
  readonly #drained: (() => void)[] = [];

  /** Bytes that were not read yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#items.push(bytes);
    this.#bytes += bytes.length;
    this.#wake?.();
  }

  /** After what is queued the reader gets the end, or `error`. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#wake?.();
  }

  onDrain(listener: () => void): void {
    this.#drained.push(listener);
  }

  /** The next message; undefined at the end. One reader only. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#items.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#closed) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const item = this.#items.shift() as Uint8Array;
    this.#bytes -= item.length;
    if (this.#items.length === 0) for (const listener of this.#drained) listener();
    return item;
  }
}
