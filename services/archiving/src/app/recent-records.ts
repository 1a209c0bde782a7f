import type { Entry } from './file-contents.ts';

/** What the index needs of an archived record. */
export interface RecentRecord extends Pick<Entry, 'place' | 'state' | 'content'> {
  readonly offset: number;
}

/** Keeps what was just archived, so that the index need not read it again. Loses it at will. */
export class RecentRecords {
  readonly #most: number;
  readonly #chains = new Map<string, readonly RecentRecord[]>();
  #count = 0;

  /** `most` is the number of records of all chains together. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `next` is the offset beyond the last of the records, which have no gaps. */
  add(chain: string, next: number, records: readonly Entry[]): void {
    if (records.length === 0) return;
    const first = next - records.length;
    const there = this.#chains.get(chain) ?? [];
    const follows = there.length === 0 || there.at(-1)?.offset === first - 1;
    // What comes first is needed first: with too much of it, the rest is read again.
    if (this.#count + records.length > this.#most && follows) return;
    const held = records.map(({ place, state, content }, n) => ({ offset: first + n, place, state, content }));
    this.#put(chain, follows ? [...there, ...held] : held);
  }

  /** Up to `limit` records from the one at `offset` on, which are forgotten; none when that one is not here. */
  take(chain: string, offset: number, limit: number): readonly RecentRecord[] {
    const there = this.#chains.get(chain) ?? [];
    const from = there.findIndex(held => held.offset === offset);
    if (from < 0) {
      // What lies behind was indexed without it.
      if ((there[0]?.offset ?? offset) < offset) this.#put(chain, []);
      return [];
    }
    const taken = there.slice(from, from + limit);
    this.#put(chain, there.slice(from + limit));
    return taken;
  }

  #put(chain: string, records: readonly RecentRecord[]): void {
    this.#count += records.length - (this.#chains.get(chain)?.length ?? 0);
    if (records.length === 0) this.#chains.delete(chain);
    else this.#chains.set(chain, records);
  }
}
