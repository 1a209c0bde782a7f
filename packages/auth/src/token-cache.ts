import { hash } from 'node:crypto';

interface Entry<T> {
  readonly value: T;
  readonly untilMs: number;
}

/**
 * Verified tokens by SHA-256, so that the cache holds no usable token and a look-up compares hashes, never secrets.
 * Constant memory: two generations, of which the older one goes when the newer is full.
 */
export class TokenCache<T> {
  readonly #half: number;
  #current = new Map<string, Entry<T>>();
  #older = new Map<string, Entry<T>>();

  /** Remembers between `size / 2` and `size` tokens. */
  constructor(size: number) {
    this.#half = Math.max(1, Math.ceil(size / 2));
  }

  /** Key of a token. */
  static key(token: string): string {
    return hash('sha256', token, 'base64url');
  }

  get(key: string, nowMs: number): T | undefined {
    let entry = this.#current.get(key);
    if (entry === undefined) {
      entry = this.#older.get(key);
      if (entry === undefined) return undefined;
      this.#older.delete(key);
      if (entry.untilMs > nowMs) this.#put(key, entry);
    }
    if (entry.untilMs > nowMs) return entry.value;
    this.#current.delete(key);
    return undefined;
  }

  set(key: string, value: T, untilMs: number): void {
    this.#put(key, { value, untilMs });
  }

  #put(key: string, entry: Entry<T>): void {
    if (this.#current.size >= this.#half) {
      this.#older = this.#current;
      this.#current = new Map();
    }
    this.#current.set(key, entry);
  }

  get size(): number {
    return this.#current.size + this.#older.size;
  }
}
