import type { SearchPlace } from '../app/search-records.ts';
import { archivingErrors } from '../errors.ts';

const MOST_LENGTH = 16_384;
const MOST_PAGES = 64;

/** Where a search goes on, bound to the query by its fingerprint. Nothing secret, nothing to trust. */
export function formatCursor(place: SearchPlace | undefined, fingerprint: string): string {
  if (!place) return '';
  const { timeMs, place: at, walk } = place;
  return Buffer.from(JSON.stringify([fingerprint, timeMs, at, walk?.day ?? null, walk?.pages ?? []])).toString(
    'base64url',
  );
}

export function readCursor(cursor: string, fingerprint: string): SearchPlace | undefined {
  if (cursor === '') return undefined;
  const invalid = () => archivingErrors('archive.cursor_invalid', { field: 'cursor' });
  if (cursor.length > MOST_LENGTH) throw invalid();
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalid();
  }
  if (!Array.isArray(parts) || parts.length !== 5) throw invalid();
  const [query, timeMs, place, day, pages] = parts as unknown[];
  const wellFormed =
    query === fingerprint &&
    Number.isSafeInteger(timeMs) &&
    typeof place === 'string' &&
    Number.isSafeInteger(day) &&
    Array.isArray(pages) &&
    pages.length <= MOST_PAGES &&
    pages.every(page => page === null || typeof page === 'string');
  if (!wellFormed) throw invalid();
  return { timeMs: timeMs as number, place, walk: { day: day as number, pages: pages as (string | null)[] } };
}
