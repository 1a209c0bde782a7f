import type { ParleyClient } from '@parley/client';
import type { Photo } from './state.ts';

/** Pictures of people, each asked for once. */
export interface Photos {
  /** The picture of that version, or undefined when there is none any longer. Rejects when it cannot be had now. */
  of(personId: string, version: string): Promise<Photo | undefined>;
}

/** Pictures kept; at most 64 KB each. */
const MOST_KEPT = 300;
/** Pictures asked for at the same time: over HTTP/1.1 a browser has six connections, and messages go first. */
const MOST_AT_ONCE = 2;

/** See {@link Photos}. */
export function createPhotos(client: Pick<ParleyClient, 'services'>, signal: AbortSignal): Photos {
  const kept = new Map<string, Promise<Photo | undefined>>();
  const waiting: (() => void)[] = [];
  let free = MOST_AT_ONCE;

  async function fetchPhoto(personId: string): Promise<Photo | undefined> {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      const { mediaType, data } = await client.services.directory.getPhoto({ personId }, { signal });
      return { mediaType, data: new Uint8Array(data) };
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  }

  return {
    of(personId, version) {
      const key = `${personId}/${version}`;
      const known = kept.get(key);
      if (known) return known;
      const asked = fetchPhoto(personId);
      kept.set(key, asked);
      asked.catch(() => kept.delete(key));
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string);
      return asked;
    },
  };
}
