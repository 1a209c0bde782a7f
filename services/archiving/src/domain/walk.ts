import {
  ARCHIVED,
  CONFLICT,
  DUPLICATE,
  equalBytes,
  genesisOf,
  type Link,
  linkHash,
  NOT_ACCEPTED,
  ownsContent,
  PARKED,
  rawHashOf,
} from './link.ts';
import { parsePlace, placeOf } from './place.ts';
import type { ArchivedRecord } from './record.ts';

export type FindingKind =
  | 'missing_link'
  | 'broken_hash'
  | 'altered_content'
  | 'missing_content'
  | 'checkpoint_mismatch'
  | 'bad_signature'
  | 'checkpoint_copy_differs';

export interface Finding {
  readonly kind: FindingKind;
  readonly place: string;
  readonly detail: string;
}

/** A content as the walk needs it. */
export interface WalkedContent {
  readonly place: string;
  readonly raw: Uint8Array;
  readonly conversationId?: string;
  readonly personIds?: readonly string[];
  readonly acceptedMs?: number;
}

export interface Tally {
  links: number;
  contents: number;
  records: number;
  duplicates: number;
  notAccepted: number;
  parked: number;
}

export const emptyTally = (): Tally => ({
  ...{ links: 0, contents: 0, records: 0, duplicates: 0, notAccepted: 0, parked: 0 },
});

/** One link and what it refers to. */
export interface Step {
  readonly link: Link;
  readonly content: WalkedContent | undefined;
  /** What the content's raw bytes say, when they can be read. */
  readonly record: ArchivedRecord | undefined;
}

export interface ChainWalk {
  /** Offset of the next link, if the chain goes on. */
  readonly next: number;
  /** Looks at the next link there is. */
  step(step: Step): Finding[];
}

/**
 * Walks a chain from its beginning. `first` is the offset at which it must begin; undefined when nothing says so. Each
 * damage is reported once: after it, the walk goes on with what it found and with what should have been there.
 */
export function walkChain(chain: string, first: number | undefined, tally: Tally): ChainWalk {
  let next = first ?? -1;
  /** Hashes of the link before, as stored and as computed; none when it is missing. */
  let before: readonly Uint8Array[] = [genesisOf(chain)];

  function checkHash({ place, rawHash, state, recordId, hash }: Link): Finding[] {
    const expected = before.map(previous => linkHash(previous, rawHash, state, recordId));
    const good = before.length === 0 || expected.some(each => equalBytes(each, hash));
    before = good ? [hash] : [hash, ...expected.slice(0, 1)];
    return good ? [] : [{ kind: 'broken_hash', place, detail: 'the hash does not follow from the link before' }];
  }

  return {
    get next() {
      return Math.max(0, next);
    },
    step({ link, content, record }) {
      const findings: Finding[] = [];
      const offset = parsePlace(link.place)?.offset ?? -1;
      if (next >= 0 && offset > next) {
        const detail = `${offset - next} missing before ${link.place}`;
        findings.push({ kind: 'missing_link', place: placeOf(chain, next), detail });
        before = [];
      }
      next = offset + 1;
      tally.links++;
      count(tally, link.state);
      findings.push(...checkHash(link), ...checkContent(link, content, record));
      if (content && ownsContent(link.state)) tally.contents++;
      return findings;
    },
  };
}

function count(tally: Tally, state: number): void {
  if (state === ARCHIVED || state === CONFLICT) tally.records++;
  else if (state === DUPLICATE) tally.duplicates++;
  else if (state === NOT_ACCEPTED) tally.notAccepted++;
  else if (state === PARKED) tally.parked++;
}

function checkContent(link: Link, content: WalkedContent | undefined, record: ArchivedRecord | undefined): Finding[] {
  const { place } = link;
  if (!content) return [{ kind: 'missing_content', place, detail: `content ${link.contentId} is gone` }];
  const altered = (detail: string): Finding[] => [{ kind: 'altered_content', place, detail }];
  if (ownsContent(link.state)) {
    if (!equalBytes(rawHashOf(content.raw), link.rawHash))
      return altered('the bytes are not the ones that were logged');
    if (content.place !== place) return altered('it names another place');
    // What was parked is filed as unreadable, although this version may be able to read it.
    if (!filedAsSaid(content, link.state === PARKED ? undefined : record))
      return altered('it is filed under other facts than its bytes say');
  }
  if (link.state !== PARKED && record?.recordId !== link.recordId) return altered('it is of another record');
  return [];
}

function filedAsSaid(content: WalkedContent, record: ArchivedRecord | undefined): boolean {
  if (!record) return content.conversationId === undefined;
  return (
    content.conversationId === record.conversationId &&
    content.acceptedMs === record.acceptedMs &&
    content.personIds?.join() === record.recipientIds.join()
  );
}
