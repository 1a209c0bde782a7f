/** What archiving needs to know of a record. */
export interface ArchivedRecord {
  readonly kind: 'event' | 'not-accepted';
  readonly recordId: string;
  readonly conversationId: string;
  readonly senderId: string;
  readonly recipientIds: readonly string[];
  readonly acceptedMs: number;
  /** Tells versions of a record apart. */
  readonly contentHash: Uint8Array;
}

/** What the index needs to know of a record. */
export interface IndexedRecord {
  readonly conversationId: string;
  readonly senderId: string;
  readonly recipientIds: readonly string[];
  /** People by id and address, as they were then. */
  readonly people: readonly { readonly id: string; readonly address: string }[];
  readonly acceptedMs: number;
  readonly text: string;
}

/** All that a record says. */
export interface FullRecord extends ArchivedRecord {
  readonly key: string;
  readonly decidedBy: string;
  readonly critical: boolean;
  readonly people: readonly { readonly id: string; readonly address: string; readonly displayName: string }[];
  /** Kind of the event, for example `message`; empty when there is none. */
  readonly eventKind: string;
  readonly text: string;
  readonly highImportance: boolean;
  /** The event it changes; empty when it changes none. */
  readonly targetId: string;
}

/** Why a record could not be processed. */
export type ParkReason = 'not_a_record' | 'unknown_version' | 'unknown_kind' | 'invalid';

const RECORD_ID = /^[A-Za-z0-9_.:-]{1,180}$/;
const NAME = /^[A-Za-z0-9_.:-]{0,100}$/;
const HASH_BYTES = 32;

/** Whether a record can be filed as what it says it is. */
export function isReadable(record: ArchivedRecord): boolean {
  return (
    RECORD_ID.test(record.recordId) &&
    NAME.test(record.conversationId) &&
    record.contentHash.length === HASH_BYTES &&
    record.recipientIds.length <= 1_000 &&
    record.recipientIds.every(id => NAME.test(id))
  );
}

/**
 * Ids of contents. The first version of a record is filed under the record's id, another version beside it, and so is
 * what says that a version was not accepted.
 */
export const versionId = (record: ArchivedRecord): string => `${record.recordId}~${hashText(record)}`;
export const deniedId = (record: ArchivedRecord): string => `${record.recordId}!${hashText(record)}`;
export const parkedId = (place: string): string => `parked!${place}`;
export const displacedId = (place: string): string => `displaced!${place}`;

const hashText = (record: ArchivedRecord) => Buffer.from(record.contentHash).toString('base64url');
