import type { IndexedRecord } from '../../domain/record.ts';
import { Reader } from './reader.ts';

/**
 * Reads of a `parley.event.v1.ArchiveRecord` what the index needs. By hand, because every record passes here; a test
 * holds it to what protobuf-es reads. Undefined when it is written in a way that our encoder never uses.
 */
export function decodeIndexed(bytes: Uint8Array): IndexedRecord | undefined {
  const reader = new Reader(bytes);
  const recipientIds: string[] = [];
  const people: { id: string; address: string }[] = [];
  let conversationId = '';
  let senderId = '';
  let acceptedMs = 0;
  let text: string | undefined = '';
  let events = 0;
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x22:
        conversationId = reader.text();
        break;
      case 0x2a:
        senderId = reader.text();
        break;
      case 0x32:
        recipientIds.push(reader.text());
        break;
      case 0x40:
        acceptedMs = reader.varint();
        break;
      case 0x52:
        text = ++events > 1 ? undefined : textWithin(reader.data(), EVENT);
        break;
      case 0x6a: {
        const person = personWithin(reader.data());
        if (!person) return undefined;
        people.push(person);
        break;
      }
      default:
        if (!isPlain(tag, RECORD_TAGS)) return undefined;
        reader.skip(NONE);
    }
  }
  if (reader.broken || text === undefined) return undefined;
  return { conversationId, senderId, recipientIds, people, acceptedMs, text };
}

const NONE: ReadonlySet<number> = new Set();

/** Tags as they are written for the fields of each message; what has a higher number is of a later version. */
const RECORD_TAGS = [0x08, 0x12, 0x18, 0x22, 0x2a, 0x32, 0x3a, 0x40, 0x4a, 0x52, 0x5a, 0x60, 0x6a];
const EVENT_TAGS = [0x0a, 0x10, 0x1a, 0x22, 0x2a, 0x30, 0x3a, 0x42, 0x4a];
const CONTENT_TAGS = [0x0a, 0x10, 0x18];
const PERSON_TAGS = [0x0a, 0x12, 0x1a];

const isPlain = (tag: number, tags: readonly number[]): boolean => tag >>> 3 > tags.length || tags.includes(tag);

/** The way from an event to its content's text: each tag, and the tags beside it. */
const EVENT: readonly (readonly [number, readonly number[]])[] = [
  [0x3a, EVENT_TAGS],
  [0x0a, CONTENT_TAGS],
];

/** Undefined when it cannot be read in the plainest way. */
function textWithin(bytes: Uint8Array, [step, ...rest]: typeof EVENT): string | undefined {
  const [wanted, tags] = step as (typeof EVENT)[number];
  const reader = new Reader(bytes);
  let found: string | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    if (!isPlain(tag, tags)) return undefined;
    if (tag !== wanted) reader.skip(NONE);
    else if (found !== undefined) return undefined;
    else {
      found = rest.length > 0 ? textWithin(reader.data(), rest) : reader.text();
      if (found === undefined) return undefined;
    }
  }
  return reader.broken ? undefined : (found ?? '');
}

function personWithin(bytes: Uint8Array): { id: string; address: string } | undefined {
  const reader = new Reader(bytes);
  const person = { id: '', address: '' };
  while (reader.more()) {
    const tag = reader.tag();
    if (!isPlain(tag, PERSON_TAGS)) return undefined;
    if (tag === 0x0a) person.id = reader.text();
    else if (tag === 0x12) person.address = reader.text();
    else reader.skip(NONE);
  }
  return reader.broken ? undefined : person;
}
