import type { Candidate } from '../domain/index-block.ts';
import { indexTime } from '../domain/index-block.ts';
import { ARCHIVED, CONFLICT, DUPLICATE, equalBytes, type Link, NOT_ACCEPTED, rawHashOf } from '../domain/link.ts';
import type { FullRecord } from '../domain/record.ts';
import { isWanted, type RecordQuery } from '../domain/record-query.ts';
import type { Content, ContentStore, LinkStore } from '../ports/archive-store.ts';
import type { RecordCodec } from '../ports/codec.ts';

/** A record of the archive, read again from its content. */
export interface FoundRecord {
  readonly link: Link;
  readonly content: Content;
  /** Undefined when it was parked: nobody can read it. */
  readonly record: FullRecord | undefined;
  /** How it stands, by the numbers of the contract. */
  readonly state: number;
  readonly timeMs: number;
  /** Whether the bytes are the ones that were logged. */
  readonly intact: boolean;
}

export interface ReadRecordsDeps {
  readonly links: LinkStore;
  readonly contents: ContentStore;
  readonly codec: RecordCodec;
}

/** Reads records at places, in their order; what was purged is left out. */
export type ReadRecords = (places: readonly string[]) => Promise<readonly FoundRecord[]>;

export function createReadRecords({ links, contents, codec }: ReadRecordsDeps): ReadRecords {
  return async places => {
    const found = new Map((await links.getMany(places)).map(link => [link.place, link]));
    const ids = [...new Set([...found.values()].map(link => link.contentId))];
    const kept = new Map((await contents.getMany(ids)).map(content => [content.id, content]));
    return places.flatMap(place => {
      const link = found.get(place);
      const content = link && kept.get(link.contentId);
      return link && content ? [recordOf(codec, link, content)] : [];
    });
  };
}

function recordOf(codec: RecordCodec, link: Link, content: Content): FoundRecord {
  const record = content.parkedMs === undefined ? codec.decodeFull(content.raw) : undefined;
  const denied = content.deniedBy !== undefined && (link.state === ARCHIVED || link.state === CONFLICT);
  return {
    ...{ link, content, record },
    state: denied ? NOT_ACCEPTED : link.state,
    timeMs: indexTime(record?.acceptedMs ?? content.parkedMs ?? 0),
    intact: link.state === DUPLICATE || equalBytes(rawHashOf(content.raw), link.rawHash),
  };
}

/** Whether a record is what is looked for, going by what it says itself. */
export function matches(query: RecordQuery, { record, timeMs }: FoundRecord): boolean {
  return isWanted(query, {
    timeMs,
    conversationId: record?.conversationId ?? '',
    personIds: record ? [record.senderId, ...record.recipientIds].filter(id => id !== '') : [],
    text: record?.text ?? '',
  });
}

/** Newest first; what was indexed twice stands side by side. */
export const byTime = (a: Candidate, b: Candidate): number =>
  b.timeMs - a.timeMs || (a.place < b.place ? 1 : a.place > b.place ? -1 : 0);

export const distinct = (sorted: readonly Candidate[]): readonly Candidate[] =>
  sorted.filter((one, i) => one.place !== sorted[i - 1]?.place);
