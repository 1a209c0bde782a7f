import { parsePlace, placeOf } from './place.ts';

/** A block holds records of one stretch of ten minutes, so that its place in the order of time never moves. */
export const SLOT_MS = 600_000;
export const DAY_MS = 86_400_000;
/** Records of a block; more make it cheaper to write and dearer to read. */
export const MOST_RECORDS = 512;
/** Words of a block, well within what a document may hold. */
const MOST_WORDS = 9_000;
/** A record with more words than this is looked at whatever is asked for. */
const MOST_WORDS_OF_RECORD = 6_000;
const LATEST_MS = 8_640_000_000_000_000 - DAY_MS;

/**
 * Tokens of people and conversations: a mark that no word begins with and 32 bits of hash. Short, because they
 * are most of the index; what they lead to is read and compared, so two that share a token cost a look and no more.
 */
export const personToken = (id: string): string => `@${hashOf(id)}`;
export const conversationToken = (id: string): string => `#${hashOf(id)}`;
export const isConversation = (token: string): boolean => token.charCodeAt(0) === 0x23 && token.length > 1;
const IS_MARKED = /^[@#]/;

/** FNV-1a. */
function hashOf(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(36);
}

/** Stands for every word. */
export const ANY_WORD = '&';

/** A record as it is indexed. */
export interface IndexEntry {
  readonly place: string;
  readonly offset: number;
  readonly timeMs: number;
  readonly tokens: ReadonlySet<string>;
}

/** A record that may be what is looked for. */
export interface Candidate {
  readonly place: string;
  readonly timeMs: number;
}

/** Some records of one chain and one slot, and which words stand in which of them. */
export interface IndexBlock {
  /** Place of its first record. */
  readonly id: string;
  readonly chain: string;
  /** End of its slot. */
  readonly topMs: number;
  /** Offset beyond its last record: what is below was indexed, here or elsewhere. */
  to: number;
  readonly offsets: number[];
  readonly times: number[];
  readonly postings: Map<string, number[]>;
}

/** A time that can stand in the index; what no clock could say stands at the beginning. */
export const indexTime = (ms: number): number => (Number.isSafeInteger(ms) && ms >= 0 && ms < LATEST_MS ? ms : 0);

export const slotEnd = (timeMs: number): number => (Math.floor(timeMs / SLOT_MS) + 1) * SLOT_MS;
export const dayOf = (timeMs: number): number => Math.floor(timeMs / DAY_MS);

export function newBlock({ place, offset, timeMs }: IndexEntry): IndexBlock {
  const chain = parsePlace(place)?.chain ?? '';
  return { id: place, chain, topMs: slotEnd(timeMs), to: offset, offsets: [], times: [], postings: new Map() };
}

/** Adds a record that stands beyond all others; false when the block is full. */
export function addEntry(block: IndexBlock, { offset, timeMs, tokens }: IndexEntry): boolean {
  const { offsets, times, postings } = block;
  const n = offsets.length;
  const held = tokens.size <= MOST_WORDS_OF_RECORD ? tokens : withAnyWord(tokens);
  if (n >= MOST_RECORDS || (n > 0 && postings.size + held.size > MOST_WORDS)) return false;
  offsets.push(offset);
  times.push(timeMs);
  block.to = offset + 1;
  for (const token of held) {
    const posting = postings.get(token);
    if (posting) posting.push(n);
    else postings.set(token, [n]);
  }
  return true;
}

const withAnyWord = (tokens: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...tokens].filter(token => IS_MARKED.test(token)).concat(ANY_WORD));

/** Numbers of records and postings as bytes: seven bits a byte, the differences only. */
export function encodeBlock(block: IndexBlock): { readonly words: readonly string[]; readonly data: Uint8Array } {
  const { offsets, times, postings, topMs } = block;
  const out = new Bytes();
  out.varint(offsets.length);
  let before = 0;
  for (const [n, offset] of offsets.entries()) {
    out.varint(offset - before);
    out.varint(topMs - (times[n] as number));
    before = offset;
  }
  for (const posting of postings.values()) {
    out.varint(posting.length);
    let last = 0;
    for (const n of posting) {
      out.varint(n - last);
      last = n;
    }
  }
  return { words: [...postings.keys()], data: out.taken() };
}

/** A block as readers have it: its postings are read only where they are asked for. */
export interface SealedBlock {
  /** Place of its first record. */
  readonly id: string;
  readonly topMs: number;
  readonly to: number;
  readonly words: readonly string[];
  readonly data: Uint8Array;
}

export function decodeBlock(sealed: SealedBlock): IndexBlock {
  const { id, topMs, to, words } = sealed;
  const { offsets, times, numbers } = readBlock(sealed);
  const postings = new Map(words.map(word => [word, numbers.posting()]));
  return { id, chain: parsePlace(id)?.chain ?? '', topMs, to, offsets, times, postings };
}

/** What must hold: of each group one token. */
export type Groups = readonly (readonly string[])[];

/** Records of a block that hold a token of every group. */
export function candidatesOf(sealed: SealedBlock, groups: Groups): Candidate[] {
  const { offsets, times, numbers } = readBlock(sealed);
  const wanted = new Set(groups.flat());
  const postings = new Map<string, readonly number[]>();
  if (wanted.size > 0)
    for (const word of sealed.words)
      if (wanted.has(word)) postings.set(word, numbers.posting());
      else numbers.skip();
  const held = new Uint16Array(offsets.length);
  groups.forEach((group, i) => {
    for (const token of group) for (const n of postings.get(token) ?? []) if (held[n] === i) held[n] = i + 1;
  });
  const chain = parsePlace(sealed.id)?.chain ?? '';
  const found: Candidate[] = [];
  for (let n = 0; n < offsets.length; n++)
    if (held[n] === groups.length)
      found.push({ place: placeOf(chain, offsets[n] as number), timeMs: times[n] as number });
  return found;
}

/** Token of the conversation of each record, by its offset. */
export function conversationsOf(sealed: SealedBlock): ReadonlyMap<number, string> {
  const { offsets, numbers } = readBlock(sealed);
  const found = new Map<number, string>();
  for (const word of sealed.words)
    if (!isConversation(word)) numbers.skip();
    else for (const n of numbers.posting()) found.set(offsets[n] as number, word);
  return found;
}

function readBlock({ id, topMs, data }: SealedBlock) {
  const numbers = new Numbers(id, data);
  const offsets: number[] = [];
  const times: number[] = [];
  let offset = 0;
  for (let left = numbers.next(); left > 0; left--) {
    offset += numbers.next();
    offsets.push(offset);
    times.push(topMs - numbers.next());
  }
  return { offsets, times, numbers };
}

class Numbers {
  readonly #id: string;
  readonly #data: Uint8Array;
  #at = 0;

  constructor(id: string, data: Uint8Array) {
    this.#id = id;
    this.#data = data;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#data[this.#at++];
      if (byte === undefined) throw new Error(`index block ${this.#id} is cut short`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  posting(): number[] {
    const posting: number[] = [];
    let n = 0;
    for (let left = this.next(); left > 0; left--) posting.push((n += this.next()));
    return posting;
  }

  skip(): void {
    for (let left = this.next(); left > 0; left--) this.next();
  }
}

class Bytes {
  #bytes = new Uint8Array(16_384);
  #at = 0;

  varint(value: number): void {
    if (this.#at + 10 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 128;
    this.#bytes[this.#at++] = rest;
  }

  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }
}
