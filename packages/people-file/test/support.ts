import { type PeopleFileItem, type PeopleFileOptions, readPeopleFile } from '../src/index.ts';

/** Everything a file consists of. */
export async function itemsOf(file: string | Uint8Array, options: PeopleFileOptions = {}): Promise<PeopleFileItem[]> {
  const items: PeopleFileItem[] = [];
  for await (const item of readPeopleFile([typeof file === 'string' ? Buffer.from(file) : file], options))
    items.push(item);
  return items;
}

/** The same in few words: `2 ok`, `3 address people_file.value_missing`, `4 skipped`. */
export const brief = (items: readonly PeopleFileItem[]): string[] =>
  items.map(item => {
    if ('row' in item) return `${item.line} ok`;
    return 'code' in item
      ? `${item.line} ${item.field} ${item.code.replace('people_file.', '')}`
      : `${item.line} skipped`;
  });

/** Encodes text in an encoding for which the platform has a decoder only. */
export function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const table = new Map<string, readonly number[]>();
  const note = (...bytes: readonly number[]) => {
    try {
      const character = decoder.decode(Uint8Array.from(bytes));
      if ([...character].length === 1 && !table.has(character)) table.set(character, bytes);
    } catch {
      // not a character
    }
  };
  for (let byte = 0; byte < 128; byte++) note(byte);
  for (let lead = 0x81; lead < 0xff; lead++) for (let trail = 0x40; trail < 0xff; trail++) note(lead, trail);
  return Uint8Array.from(
    [...text].flatMap(character => {
      const bytes = table.get(character);
      if (!bytes) throw new Error(`${encoding} has no ${character}`);
      return bytes;
    }),
  );
}

/** UTF-16 with its mark. */
export function utf16(text: string, order: 'le' | 'be', mark = true): Uint8Array {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le');
  return new Uint8Array(order === 'le' ? bytes : bytes.swap16());
}

/** Random numbers that are the same every time: mulberry32. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The smallest picture: one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
  'base64',
);
