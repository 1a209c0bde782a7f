import { equalBytes, type Link, linkHash, PARKED } from '../domain/link.ts';
import { placeOf } from '../domain/place.ts';
import { displacedId } from '../domain/record.ts';
import type { Telemetry } from '../events.ts';
import type { LogEntry } from '../ports/archive-log.ts';
import type { ContentStore, LinkStore } from '../ports/archive-store.ts';
import type { Entry, FileContents } from './file-contents.ts';

const MOST_PLACES = 1_000;

export interface ArchiveRecordsDeps {
  readonly links: LinkStore;
  readonly contents: ContentStore;
  readonly file: FileContents;
  readonly telemetry: Telemetry;
  /** Told when something was parked. */
  readonly parked?: () => Promise<unknown>;
  /** Told what was archived, in the order of the chain, and where the chain ends now; nothing of it when it was there before. */
  readonly archived?: (chain: string, next: number, entries: readonly Entry[]) => void;
}

/** Where a chain stands: the offset of its next link and the hash that one follows from. */
export interface Head {
  readonly next: number;
  readonly hash: Uint8Array;
}

/**
 * Archives contiguous records that follow `head`: contents first, so that no link ever points to nothing, then links.
 * Returns the new head. Everything may be repeated at any time and changes nothing then.
 */
export type ArchiveRecords = (chain: string, head: Head, records: readonly LogEntry[], seen: boolean) => Promise<Head>;

/** `seen` says that some of the records may have links already. */
export function createArchiveRecords(deps: ArchiveRecordsDeps): ArchiveRecords {
  const { links, contents, file, telemetry } = deps;

  function chained(previous: Uint8Array, entry: Entry): Link {
    const { place, recordId, state, contentId, rawHash } = entry;
    return { place, recordId, state, contentId, rawHash, hash: linkHash(previous, rawHash, state, recordId) };
  }

  async function noteParked(entries: readonly Entry[]): Promise<void> {
    if (entries.some(entry => entry.state === PARKED)) await deps.parked?.();
  }

  async function appendNew(chain: string, head: Head, records: readonly LogEntry[]): Promise<Head | undefined> {
    const entries = await file(chain, records);
    const made: Link[] = [];
    let previous = head.hash;
    for (const entry of entries) {
      const link = chained(previous, entry);
      made.push(link);
      previous = link.hash;
    }
    const results = await links.insert(made);
    if (results.includes(false)) return undefined;
    telemetry.archived(entries);
    await noteParked(entries);
    const next = (records.at(-1)?.offset ?? head.next - 1) + 1;
    deps.archived?.(chain, next, entries);
    return { next, hash: previous };
  }

  async function compareAndAppend(chain: string, head: Head, records: readonly LogEntry[]): Promise<Head> {
    const found = await existing(chain, records);
    const missing = records.filter(record => !found.has(placeOf(chain, record.offset)));
    const filed = new Map((await file(chain, missing)).map(entry => [entry.place, entry]));
    const entries = await file.again(chain, records, found);
    const fresh: Link[] = [];
    let previous = head.hash;
    for (const entry of entries) {
      const there = found.get(entry.place);
      const link = there ?? chained(previous, filed.get(entry.place) as Entry);
      if (there) await compare(there, chained(previous, { ...entry, state: there.state }), entry);
      else fresh.push(link);
      previous = link.hash;
    }
    const results = await links.insert(fresh);
    // Somebody else wrote in the meantime, the consumer before or after us: what he wrote is compared with the batch
    // that comes again.
    if (results.includes(false)) throw new Error(`links of ${chain} were written by somebody else`);
    telemetry.archived([...filed.values()]);
    await noteParked([...filed.values()]);
    const next = (records.at(-1)?.offset ?? head.next - 1) + 1;
    deps.archived?.(chain, next, []);
    return { next, hash: previous };
  }

  async function existing(chain: string, records: readonly LogEntry[]): Promise<Map<string, Link>> {
    const places = records.map(record => placeOf(chain, record.offset));
    const found = new Map<string, Link>();
    for (let i = 0; i < places.length; i += MOST_PLACES)
      for (const link of await links.getMany(places.slice(i, i + MOST_PLACES))) found.set(link.place, link);
    return found;
  }

  /** A link that is not the one the log gives: never overwritten; what stands in the log now is kept beside it. */
  async function compare(there: Link, expected: Link, entry: Entry): Promise<void> {
    const sameRecord = there.recordId === expected.recordId && equalBytes(there.rawHash, expected.rawHash);
    if (sameRecord && equalBytes(there.hash, expected.hash)) return;
    telemetry.linkDiffers(there.place, sameRecord ? 'chain' : 'record');
    if (!sameRecord) await contents.insert([{ ...entry.content, id: displacedId(there.place) }]);
  }

  return async (chain, head, records, seen) => {
    const appended = seen ? undefined : await appendNew(chain, head, records);
    return appended ?? compareAndAppend(chain, head, records);
  };
}
