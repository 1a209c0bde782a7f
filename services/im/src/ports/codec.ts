import type { Event } from '../domain/event.ts';
import type { Person } from '../domain/person.ts';

/** Facts of an archive record beside the event. */
export interface ArchiveFacts {
  readonly hash: Uint8Array;
  readonly decidedBy: string;
  readonly critical: boolean;
  readonly people: readonly Person[];
}

/** An archive record as the reconciler needs it. */
export interface LoggedRecord {
  readonly kind: 'event' | 'not-accepted';
  readonly recordId: string;
  readonly hash: Uint8Array;
  readonly acceptedMs: number;
  /** The encoded event. */
  readonly event: Uint8Array;
  readonly senderId: string;
  readonly recipientIds: readonly string[];
  readonly conversationId: string;
}

/** Bytes of what is stored, published and logged. */
export interface Codec {
  event(event: Event): Uint8Array;
  record(event: Event, encoded: Uint8Array, facts: ArchiveFacts): Uint8Array;
  /** The same record, but of another kind. */
  withKind(record: Uint8Array, kind: LoggedRecord['kind']): Uint8Array;
  /** Throws when the bytes are no event. */
  decodeEvent(bytes: Uint8Array): Event;
  /** Undefined when the bytes are no record. */
  decodeRecord(bytes: Uint8Array): LoggedRecord | undefined;
}
