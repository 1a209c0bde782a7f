import type { Entry } from './file-contents.ts';

/** What the index needs of an archived record. */
export interface RecentRecord extends Pick<Entry, 'place' | 'state' | 'content'> {
  readonly offset: number;
}

/** Keeps what was just archived, so that the index need not read it again. Loses it at will. */
export class RecentRecords {
  readonly #most: number;
  readonly #chains = new Map<string, readonly RecentRecord[]>();

  constructor(most: number) {
    this.#most = most;
  }

  /** `next` is the offset beyond the last of the records, which have no gaps. */
  add(chain: string, next: number, records: readonly Entry[]): void {
    if (records.length === 0 || records.length > this.#most) return;
    const first = next - records.length;
    const held = records.map(({ place, state, content }, n) => ({ offset: first + n, place, state, content }));
    const there = this.#chains.get(chain) ?? [];
    const follows = there.at(-1)?.offset === first - 1;
    this.#chains.set(chain, follows && there.length + held.length <= this.#most ? [...there, ...held] : held);
  }

  /** Up to `limit` records from the one at `offset` on, which are forgotten; none when that one is not here. */
  take(chain: string, offset: number, limit: number): readonly RecentRecord[] {
    const there = this.#chains.get(chain);
    const from = there?.findIndex(held => held.offset === offset) ?? -1;
    if (!there || from < 0) return [];
    const taken = there.slice(from, from + limit);
    this.#chains.set(chain, there.slice(from + limit));
    return taken;
  }
}
