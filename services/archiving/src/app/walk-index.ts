import { dayOf, type SealedBlock } from '../domain/index-block.ts';
import type { IndexPlan } from '../domain/record-query.ts';
import type { IndexStore } from '../ports/index-store.ts';

const BLOCKS_AT_ONCE = 16;
/** Days that are begun at once while nothing is found. */
const MOST_DAYS = 16;
/** Beyond every day that has a name. */
const END_OF_DAYS = 110_000_000;

/** Where a walk may go on: the day, and for each stream the page in which the slot begins. */
export interface WalkPlace {
  readonly day: number;
  readonly pages: readonly (string | null)[];
}

/** All blocks of one slot that may hold something. */
export interface Slot {
  readonly topMs: number;
  readonly blocks: readonly SealedBlock[];
  readonly place: WalkPlace;
}

/** Slots that may hold something of `fromMs` to `untilMs`, newest first. */
export async function* newestFirst(
  index: IndexStore,
  { streams }: IndexPlan,
  range: { readonly fromMs: number; readonly untilMs: number },
  from?: WalkPlace,
): AsyncGenerator<Slot> {
  const lowest = dayOf(Math.max(0, range.fromMs));
  const start = Number.isFinite(range.untilMs) ? dayOf(range.untilMs - 1) + 1 : END_OF_DAYS;
  let day = from?.day ?? (await index.dayBefore(start));
  let width = 1;
  while (day !== undefined && day >= lowest) {
    const days: number[] = [];
    for (let each = day; each >= lowest && each > day - width; each--) days.push(each);
    const opened = days.map(each => dayStreams(index, streams, each, each === from?.day ? from.pages : []));
    await Promise.all(opened.flat().map(stream => stream.peek()));
    let any = false;
    for (const [i, stream] of opened.entries()) {
      for await (const slot of slotsOf(days[i] as number, stream)) {
        any = true;
        yield slot;
      }
    }
    width = any ? 1 : Math.min(MOST_DAYS, width * 2);
    const lowestRead = days.at(-1) as number;
    day = any ? lowestRead - 1 : await index.dayBefore(lowestRead);
  }
}

/** Slots of one day, newest first. */
export function slotsOfDay(index: IndexStore, { streams }: IndexPlan, day: number): AsyncGenerator<Slot> {
  return slotsOf(day, dayStreams(index, streams, day, []));
}

/** Whether a slot holds nothing at or after `untilMs`, or nothing before `fromMs`. */
export const isBeyond = (slot: Slot, slotMs: number, range: { readonly fromMs: number; readonly untilMs: number }) =>
  slot.topMs <= range.fromMs || slot.topMs - slotMs >= range.untilMs;

const dayStreams = (
  index: IndexStore,
  streams: IndexPlan['streams'],
  day: number,
  pages: readonly (string | null)[],
): readonly BlockStream[] => streams.map((tokens, i) => new BlockStream(index, day, tokens, pages[i] ?? undefined));

async function* slotsOf(day: number, streams: readonly BlockStream[]): AsyncGenerator<Slot> {
  for (;;) {
    const heads = await Promise.all(streams.map(stream => stream.peek()));
    const topMs = Math.max(...heads.map(head => head?.topMs ?? Number.NEGATIVE_INFINITY));
    if (topMs === Number.NEGATIVE_INFINITY) return;
    const place = { day, pages: streams.map(stream => stream.page) };
    const blocks = new Map<string, SealedBlock>();
    for (const stream of streams) {
      for (let head = await stream.peek(); head?.topMs === topMs; head = await stream.peek()) {
        blocks.set(head.id, head);
        stream.shift();
      }
    }
    yield { topMs, blocks: [...blocks.values()], place };
  }
}

/** Blocks of one day that hold some tokens, a page at a time. */
class BlockStream {
  readonly #index: IndexStore;
  readonly #day: number;
  readonly #tokens: readonly string[];
  #blocks: readonly SealedBlock[] = [];
  #at = 0;
  #page: string | undefined;
  #next: string | undefined;
  #begun = false;

  constructor(index: IndexStore, day: number, tokens: readonly string[], page: string | undefined) {
    this.#index = index;
    this.#day = day;
    this.#tokens = tokens;
    this.#next = page;
  }

  /** The page in which the next block stands. */
  get page(): string | null {
    return this.#page ?? null;
  }

  async peek(): Promise<SealedBlock | undefined> {
    while (this.#at >= this.#blocks.length && (!this.#begun || this.#next !== undefined)) {
      this.#page = this.#next;
      const { blocks, next } = await this.#index.day(this.#day, this.#tokens, BLOCKS_AT_ONCE, this.#page);
      this.#begun = true;
      this.#blocks = blocks;
      this.#at = 0;
      this.#next = next;
    }
    return this.#blocks[this.#at];
  }

  shift(): void {
    this.#at++;
  }
}
