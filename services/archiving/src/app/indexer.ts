import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import {
  addEntry,
  conversationToken,
  type IndexBlock,
  type IndexEntry,
  indexTime,
  MOST_RECORDS,
  newBlock,
  personToken,
  slotEnd,
} from '../domain/index-block.ts';
import { DUPLICATE, NOT_ACCEPTED } from '../domain/link.ts';
import { parsePlace, placeOf, withinChain } from '../domain/place.ts';
import { wordsOf } from '../domain/words.ts';
import type { Telemetry } from '../events.ts';
import type { ContentStore, LinkStore } from '../ports/archive-store.ts';
import type { RecordCodec } from '../ports/codec.ts';
import type { ArchivedName, IndexPosition, IndexStore, StoredBlock } from '../ports/index-store.ts';
import { chainsOf } from './chains.ts';
import type { RecentRecord, RecentRecords } from './recent-records.ts';

/** Records between two turns of others. */
const SLICE = 32;
const NAMES_AT_ONCE = 1_000;
/** Blocks of different times that may still grow. */
const MOST_OPEN = 4;
/** People whose addresses are remembered as written down. */
const MOST_KNOWN = 50_000;

export interface IndexerDeps {
  readonly clock: Clock;
  readonly links: LinkStore;
  readonly contents: ContentStore;
  readonly codec: RecordCodec;
  readonly index: IndexStore;
  readonly recent: RecentRecords;
  /** Names this replica. */
  readonly me: string;
  readonly settings: Pick<ArchivingConfig, 'indexMs' | 'indexDelayMs' | 'indexSweepMs' | 'indexLeaseMs'>;
  readonly telemetry: Telemetry;
}

/** Somebody else moved a chain's position or wrote its blocks; look again. */
class Overtaken extends Error {}

interface Owned {
  readonly position: IndexPosition;
  /** Whether blocks beyond the position may be there, left by a crash or by somebody else. */
  readonly sure: boolean;
}

/**
 * Makes what is archived findable: behind the archiving, in larger steps, a slice at a time. It follows the links, so what
 * was archived before there was an index is found too. A chain is indexed by one replica at a time; two change nothing
 * but the time it takes.
 */
export class Indexer implements Module {
  readonly name = 'archiving.index';
  readonly #deps: IndexerDeps;
  readonly #owned = new Map<string, Owned>();
  readonly #open = new Map<string, StoredBlock>();
  readonly #dirty = new Set<string>();
  readonly #heads = new Map<string, number>();
  /** Since when something of a chain waits. */
  readonly #since = new Map<string, number>();
  /** Address of each person that was written down last. */
  readonly #known = new Map<string, string>();
  #names: ArchivedName[] = [];
  readonly #waiting = new Map<string, number>();
  #sweepAt = 0;
  readonly #loop: Loop;

  constructor(deps: IndexerDeps) {
    this.#deps = deps;
    const { clock, settings } = deps;
    this.#loop = createLoop({ clock, everyMs: settings.indexMs, turn: signal => this.#round(signal) });
  }

  /** Says that a chain has grown, and where it ends now. */
  note(chain: string, next: number): void {
    this.#heads.set(chain, next);
    this.#note(chain);
  }

  #note(chain: string): void {
    if (this.#dirty.has(chain)) return;
    this.#dirty.add(chain);
    this.#since.set(chain, this.#deps.clock.monotonic());
  }

  /** Whether a block's worth waits, or what waits has done so long enough. Blocks that grow by little are dear. */
  #isDue(chain: string): boolean {
    const owned = this.#owned.get(chain);
    const left = (this.#heads.get(chain) ?? 0) - (owned?.position.next ?? 0);
    return !owned || left >= MOST_RECORDS || this.#waited(chain) >= this.#deps.settings.indexDelayMs;
  }

  async start(): Promise<void> {
    this.#sweepAt = 0;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    // Others need not wait until what was promised to this replica runs out.
    const { index, me } = this.#deps;
    const owned = [...this.#owned.values()].filter(({ position }) => position.by === me);
    await Promise.allSettled(owned.map(({ position }) => index.move({ ...position, untilMs: 0 })));
    this.#owned.clear();
    this.#open.clear();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, links, settings, telemetry } = this.#deps;
    try {
      if (clock.monotonic() >= this.#sweepAt) {
        for await (const chain of chainsOf(links)) {
          const last = await links.last(chain);
          this.note(chain, last ? (parsePlace(last.place)?.offset ?? -1) + 1 : 0);
        }
        this.#sweepAt = clock.monotonic() + settings.indexSweepMs;
      }
    } catch (cause) {
      telemetry.indexFailed('', cause);
    }
    for (const chain of [...this.#dirty]) {
      if (signal.aborted) return;
      if ((this.#waiting.get(chain) ?? 0) > clock.now() || !this.#isDue(chain)) continue;
      this.#dirty.delete(chain);
      try {
        await this.#catchUp(chain, signal);
      } catch (cause) {
        this.#owned.delete(chain);
        this.#open.clear();
        this.#known.clear();
        this.#dirty.add(chain);
        if (!(cause instanceof Overtaken)) telemetry.indexFailed(chain, cause);
      }
    }
  }

  async #catchUp(chain: string, signal: AbortSignal): Promise<void> {
    const { clock, index, me, settings, telemetry } = this.#deps;
    let { position, sure } = this.#owned.get(chain) ?? { position: await this.#load(chain), sure: false };
    if (position.by !== me && position.untilMs > clock.now()) {
      this.#waiting.set(chain, position.untilMs);
      this.#dirty.add(chain);
      return;
    }
    this.#waiting.delete(chain);
    const overdue = !sure || this.#waited(chain) >= settings.indexDelayMs;
    while (!signal.aborted) {
      const left = (this.#heads.get(chain) ?? 0) - position.next;
      // A block is filled at once, or with all there is when that has waited long enough.
      const room = this.#roomOf(position);
      if (left <= 0) break;
      if (left < room && !overdue) {
        this.#note(chain);
        break;
      }
      const records = await this.#read(chain, position.next, room);
      const last = records.at(-1);
      if (!last) break;
      const entries = await this.#entries(records);
      await this.#writeNames();
      const open = await this.#put(position, entries, sure);
      const next = last.offset + 1;
      const untilMs = clock.now() + settings.indexLeaseMs;
      const moved = await index.move({ ...position, next, open, by: me, untilMs });
      if (!moved) throw new Overtaken();
      position = moved;
      sure = true;
      this.#owned.set(chain, { position, sure });
      telemetry.indexed(entries.length);
      telemetry.notIndexed(chain, Math.max(0, (this.#heads.get(chain) ?? next) - next));
      await turn();
    }
  }

  #waited(chain: string): number {
    return this.#deps.clock.monotonic() - (this.#since.get(chain) ?? 0);
  }

  /** How many records the newest block still takes. */
  #roomOf({ open }: IndexPosition): number {
    const last = this.#open.get(open[0]?.id ?? '');
    return MOST_RECORDS - ((last?.block.offsets.length ?? 0) % MOST_RECORDS);
  }

  async #load(chain: string): Promise<IndexPosition> {
    const found = await this.#deps.index.position(chain);
    return found ?? { chain, next: 0, open: [], by: '', untilMs: 0, revision: 0 };
  }

  async #read(chain: string, from: number, limit: number): Promise<readonly RecentRecord[]> {
    const { links, contents, recent } = this.#deps;
    const kept = recent.take(chain, from, limit);
    if (kept.length > 0) return kept;
    const after = from > 0 ? placeOf(chain, from - 1) : undefined;
    const page = await links.page(chain, after, withinChain(chain).lt, limit);
    const wanted = page.filter(link => isIndexed(link.state)).map(link => link.contentId);
    const found = new Map((await contents.getMany(wanted)).map(content => [content.id, content]));
    return page.map(({ place, state, contentId }) => {
      const offset = parsePlace(place)?.offset ?? 0;
      // What was purged lawfully is not found any more.
      const content = found.get(contentId) ?? { id: contentId, place, raw: new Uint8Array() };
      return { place, offset, state: found.has(contentId) ? state : DUPLICATE, content };
    });
  }

  async #entries(records: readonly RecentRecord[]): Promise<readonly IndexEntry[]> {
    const entries: IndexEntry[] = [];
    for (const [i, record] of records.entries()) {
      if (i % SLICE === SLICE - 1) await turn();
      if (isIndexed(record.state)) entries.push(this.#entryOf(record));
    }
    return entries;
  }

  #entryOf({ place, offset, content }: RecentRecord): IndexEntry {
    const { codec } = this.#deps;
    const record =
      content.parkedMs === undefined ? (codec.decodeIndexed(content.raw) ?? codec.decodeFull(content.raw)) : undefined;
    const timeMs = indexTime(record?.acceptedMs ?? content.parkedMs ?? content.acceptedMs ?? 0);
    if (!record) return { place, offset, timeMs, tokens: new Set() };
    const tokens = wordsOf(record.text);
    for (const id of [record.senderId, ...record.recipientIds]) if (id !== '') tokens.add(personToken(id));
    for (const { id, address } of record.people) if (id !== '' && address !== '') this.#noteName(id, address);
    if (record.conversationId !== '') tokens.add(conversationToken(record.conversationId));
    return { place, offset, timeMs, tokens };
  }

  #noteName(personId: string, address: string): void {
    if (this.#known.get(personId) === address) return;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(personId, address);
    this.#names.push({ personId, address: address.normalize('NFKC').toLowerCase() });
  }

  async #writeNames(): Promise<void> {
    while (this.#names.length > 0) await this.#deps.index.addNames(this.#names.splice(0, NAMES_AT_ONCE));
  }

  /** Writes blocks; returns those that may still grow. Repeated, it finds what it wrote and adds nothing twice. */
  async #put(position: IndexPosition, entries: readonly IndexEntry[], sure: boolean): Promise<IndexPosition['open']> {
    const { index } = this.#deps;
    let open = position.open;
    const writes: (() => Promise<boolean>)[] = [];
    for (const [topMs, some] of Map.groupBy(entries, entry => slotEnd(entry.timeMs))) {
      let left = some;
      let openId = open.find(one => one.topMs === topMs)?.id;
      while (left.length > 0) {
        const first = left[0] as IndexEntry;
        const id = openId ?? first.place;
        const there = openId !== undefined || !sure ? await this.#stored(id) : undefined;
        const block = there?.block ?? newBlock(first);
        left = left.filter(entry => entry.offset >= block.to);
        const added = fill(block, left);
        if (added > 0) {
          writes.push(() => (there ? index.replace(block, there.revision) : index.insert(block)));
          this.#open.set(block.id, { block, revision: (there?.revision ?? 0) + 1 });
        }
        left = left.slice(added);
        openId = undefined;
        open = [{ topMs, id: block.id }, ...open.filter(one => one.topMs !== topMs)].slice(0, MOST_OPEN);
        await turn();
      }
    }
    const written = await Promise.all(writes.map(write => write()));
    if (written.includes(false)) throw new Overtaken();
    const kept = new Set(open.map(one => one.id));
    for (const [id, { block }] of this.#open)
      if (block.chain === position.chain && !kept.has(id)) this.#open.delete(id);
    return open;
  }

  async #stored(id: string): Promise<StoredBlock | undefined> {
    return this.#open.get(id) ?? this.#deps.index.get(id);
  }
}

/** Repetitions are found by what they repeat, and verdicts are shown with the record they are about. */
const isIndexed = (state: number): boolean => state !== DUPLICATE && state !== NOT_ACCEPTED;

function fill(block: IndexBlock, entries: readonly IndexEntry[]): number {
  let added = 0;
  while (added < entries.length && addEntry(block, entries[added] as IndexEntry)) added++;
  return added;
}
