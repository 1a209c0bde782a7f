import type { Clock } from '@parley/runtime';
import {
  ARCHIVED,
  CONFLICT,
  DUPLICATE,
  equalBytes,
  type Link,
  NOT_ACCEPTED,
  PARKED,
  rawHashOf,
} from '../domain/link.ts';
import { placeOf } from '../domain/place.ts';
import { type ArchivedRecord, deniedId, parkedId, versionId } from '../domain/record.ts';
import type { LogEntry } from '../ports/archive-log.ts';
import type { Content, ContentStore } from '../ports/archive-store.ts';
import type { RecordCodec } from '../ports/codec.ts';

/** A record with all its link will say. */
export interface Entry {
  readonly place: string;
  readonly recordId: string;
  readonly state: number;
  readonly contentId: string;
  readonly rawHash: Uint8Array;
  readonly content: Content;
}

export interface FileContents {
  /** Keeps the contents of records and says how each stands. */
  (chain: string, records: readonly LogEntry[]): Promise<readonly Entry[]>;
  /** What the links of records would say that may have been filed before, without keeping anything. */
  again(chain: string, records: readonly LogEntry[], found: ReadonlyMap<string, Link>): Promise<readonly Entry[]>;
}

interface Draft {
  readonly place: string;
  readonly record: ArchivedRecord | undefined;
  readonly rawHash: Uint8Array;
  readonly content: Content;
}

export interface FileContentsDeps {
  readonly contents: ContentStore;
  readonly codec: RecordCodec;
  readonly clock: Clock;
}

/**
 * A record is filed under its id. What is there already is the same record delivered again (same place), a repetition
 * of it (same content hash), or another version, which is kept beside it.
 */
export function createFileContents({ contents, codec, clock }: FileContentsDeps): FileContents {
  function draftOf(chain: string, { offset, value }: LogEntry): Draft {
    const place = placeOf(chain, offset);
    const record = codec.decode(value);
    const rawHash = rawHashOf(value);
    const kept = { place, raw: value };
    if (!record) {
      const parked = { id: parkedId(place), parkedMs: clock.now(), parkReason: codec.whyParked(value) };
      return { place, record, rawHash, content: { ...kept, ...parked } };
    }
    const id = record.kind === 'event' ? record.recordId : deniedId(record);
    const content = {
      id,
      ...kept,
      conversationId: record.conversationId,
      personIds: record.recipientIds,
      acceptedMs: record.acceptedMs,
    };
    return { place, record, rawHash, content };
  }

  const entryOf = (draft: Draft, state: number, contentId: string): Entry => ({
    place: draft.place,
    recordId: draft.record?.recordId ?? '',
    state,
    contentId,
    rawHash: draft.rawHash,
    content: draft.content,
  });

  function firstState({ record }: Draft): number {
    if (!record) return PARKED;
    return record.kind === 'event' ? ARCHIVED : NOT_ACCEPTED;
  }

  async function filed(draft: Draft, there: Content | undefined): Promise<Entry> {
    if (!there || there.place === draft.place) return entryOf(draft, firstState(draft), draft.content.id);
    const { record } = draft;
    if (!record || record.kind === 'not-accepted' || sameVersion(record, there))
      return entryOf(draft, DUPLICATE, there.id);
    const id = versionId(record);
    const [other] = await contents.insert([{ ...draft.content, id }]);
    return entryOf(draft, other && other.place !== draft.place ? DUPLICATE : CONFLICT, id);
  }

  function sameVersion(record: ArchivedRecord, there: Content): boolean {
    const kept = codec.decode(there.raw);
    return kept !== undefined && equalBytes(kept.contentHash, record.contentHash);
  }

  /** What was said last in the log about whether a version was accepted. */
  async function noteVerdicts(drafts: readonly Draft[], entries: readonly Entry[]): Promise<void> {
    const verdicts = new Map<string, string | undefined>();
    for (const [i, { record, place }] of drafts.entries()) {
      if (record?.kind === 'not-accepted') {
        for (const id of [record.recordId, versionId(record)]) verdicts.set(`${id} ${deniedId(record)}`, place);
      } else if (record && entries[i]?.state === DUPLICATE) {
        verdicts.set(`${entries[i].contentId} ${deniedId(record)}`, undefined);
      }
    }
    for (const [key, by] of verdicts) {
      const [id = '', denied = ''] = key.split(' ');
      const [target] = await contents.getMany([id]);
      const version = target && codec.decode(target.raw);
      if (version && deniedId(version) === denied && target.deniedBy !== by) await contents.setDenied(id, by);
    }
  }

  const file = async (chain: string, records: readonly LogEntry[]): Promise<readonly Entry[]> => {
    if (records.length === 0) return [];
    const drafts = records.map(record => draftOf(chain, record));
    const before = await contents.insert(drafts.map(draft => draft.content));
    const entries: Entry[] = [];
    for (const [i, draft] of drafts.entries()) {
      const there = before[i];
      entries.push(there ? await filed(draft, there) : entryOf(draft, firstState(draft), draft.content.id));
    }
    await noteVerdicts(drafts, entries);
    return entries;
  };

  const again = async (chain: string, records: readonly LogEntry[], found: ReadonlyMap<string, Link>) =>
    records.map(record => {
      const draft = draftOf(chain, record);
      const link = found.get(draft.place);
      if (!link) return entryOf(draft, firstState(draft), draft.content.id);
      // What was parked stays so, although this version may be able to read it.
      const known = link.state === PARKED ? { ...draft, record: undefined } : draft;
      return entryOf(known, link.state, link.contentId);
    });

  return Object.assign(file, { again });
}
