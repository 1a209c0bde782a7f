/**
 * Keys that order events: 18 characters of an alphabet in ASCII order, so that comparing bytes compares time.
 * 8 characters hold 48 bits of milliseconds, 3 a counter (18 bits), 7 the node (42 random bits of the process).
 */
const ALPHABET = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const FORM = /^[-0-9A-Z_a-z]{18}$/;
const COUNTERS = 2 ** 18;
const HALF = 2 ** 24;

export const KEY_LENGTH = 18;
export const NODE_LENGTH = 7;

/** The last place given out: milliseconds and, within one, a counter. */
export interface Place {
  readonly ms: number;
  readonly counter: number;
}

export const beginning: Place = { ms: 0, counter: 0 };

/** The next place: never before `physicalMs`, always after `last` and after `seen`. */
export function nextPlace(last: Place, physicalMs: number, seen: Place | undefined): Place {
  const ms = Math.max(physicalMs, last.ms, seen?.ms ?? 0);
  let counter = -1;
  if (last.ms === ms) counter = last.counter;
  if (seen?.ms === ms) counter = Math.max(counter, seen.counter);
  counter++;
  return counter < COUNTERS ? { ms, counter } : { ms: ms + 1, counter: 0 };
}

export const isAfter = (one: Place, other: Place): boolean =>
  one.ms > other.ms || (one.ms === other.ms && one.counter > other.counter);

/** Whether a key that somebody claims to have seen lies further ahead than clocks can differ. */
export function tooFarAhead(seen: Place, physicalMs: number, maxAheadMs: number): boolean {
  return seen.ms > physicalMs + maxAheadMs;
}

export function keyOf(place: Place, node: string): string {
  return msText(place.ms) + digits(place.counter, 3) + node;
}

/** Sorts before every key of `ms` and after every key of an earlier millisecond. */
export function floorKey(ms: number): string {
  return `${msText(Math.max(0, ms))}----------`;
}

/** The place a key stands for; undefined when it is not a key. */
export function parseKey(key: string): Place | undefined {
  if (!FORM.test(key)) return undefined;
  return { ms: value(key, 0, 4) * HALF + value(key, 4, 8), counter: value(key, 8, 11) };
}

/** The node part of all keys of a process, from 6 random bytes. */
export function nodeOf(random: Uint8Array): string {
  let node = '';
  for (let i = 0; i < NODE_LENGTH; i++) {
    const bit = i * 6;
    const pair = ((random[bit >> 3] as number) << 8) | (random[(bit >> 3) + 1] ?? 0);
    node += ALPHABET[(pair >> (10 - (bit & 7))) & 63];
  }
  return node;
}

function msText(ms: number): string {
  const high = Math.floor(ms / HALF);
  return digits(high, 4) + digits(ms - high * HALF, 4);
}

function digits(number: number, width: number): string {
  let text = '';
  for (let shift = (width - 1) * 6; shift >= 0; shift -= 6) text += ALPHABET[(number >>> shift) & 63];
  return text;
}

function value(text: string, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < to; i++) number = number * 64 + ALPHABET.indexOf(text[i] as string);
  return number;
}
