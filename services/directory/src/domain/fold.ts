import { createHash } from 'node:crypto';

/** One spelling for texts that differ in case or width only (NFKC, case-folded). */
export function foldName(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim();
}

/** The text itself where it is short enough to be an id or stand in an index, else a hash of it. */
export function keyOf(text: string): string {
  if (Buffer.byteLength(text) <= 200) return `=${text}`;
  return `#${createHash('sha256').update(text).digest('base64url')}`;
}
