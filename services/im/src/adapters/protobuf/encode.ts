import type { Event } from '../../domain/event.ts';
import type { ArchiveFacts } from '../../ports/codec.ts';
import { bytesField, lengthField, numberField, varintSize, Writer } from './wire.ts';

const RECORD_VERSION = 1;
export const IM_EVENT = 1;

/** Encodes a `parley.im.v1.ImEvent`. Ids and keys are ASCII; only the text is not. */
export function encodeEvent(event: Event): Uint8Array {
  const { content } = event;
  const textSize = Buffer.byteLength(content.text);
  const contentSize = bytesField(textSize) + numberField(content.format) + numberField(content.importance);
  let size =
    bytesField(event.id.length) +
    numberField(event.kind) +
    bytesField(event.conversationId.length) +
    bytesField(event.senderId.length) +
    bytesField(event.key.length) +
    numberField(event.acceptedMs) +
    lengthField(contentSize);
  for (const id of event.recipientIds) size += lengthField(id.length);

  const writer = new Writer(size);
  writer.text(0x0a, event.id);
  writer.varint(0x10, event.kind);
  writer.text(0x1a, event.conversationId);
  writer.text(0x22, event.senderId);
  writer.text(0x2a, event.key);
  writer.varint(0x30, event.acceptedMs);
  writer.head(0x3a, contentSize);
  writer.text(0x0a, content.text, textSize);
  writer.varint(0x10, content.format);
  writer.varint(0x18, content.importance);
  for (const id of event.recipientIds) writer.repeatedText(0x4a, id);
  return writer.bytes;
}

/** Encodes a `parley.event.v1.ArchiveRecord` around an encoded event. */
export function encodeRecord(event: Event, encoded: Uint8Array, facts: ArchiveFacts): Uint8Array {
  const people = facts.people.map(person => {
    const address = Buffer.byteLength(person.address);
    const name = Buffer.byteLength(person.displayName);
    return { person, address, name, size: bytesField(person.id.length) + bytesField(address) + bytesField(name) };
  });
  let size =
    1 +
    varintSize(RECORD_VERSION) +
    bytesField(event.id.length) +
    numberField(IM_EVENT) +
    bytesField(event.conversationId.length) +
    bytesField(event.senderId.length) +
    bytesField(event.key.length) +
    numberField(event.acceptedMs) +
    bytesField(facts.hash.length) +
    bytesField(encoded.length) +
    bytesField(facts.decidedBy.length) +
    (facts.critical ? 2 : 0);
  for (const id of event.recipientIds) size += lengthField(id.length);
  for (const entry of people) size += lengthField(entry.size);

  const writer = new Writer(size);
  writer.varint(0x08, RECORD_VERSION);
  writer.text(0x12, event.id);
  writer.varint(0x18, IM_EVENT);
  writer.text(0x22, event.conversationId);
  writer.text(0x2a, event.senderId);
  for (const id of event.recipientIds) writer.repeatedText(0x32, id);
  writer.text(0x3a, event.key);
  writer.varint(0x40, event.acceptedMs);
  writer.data(0x4a, facts.hash);
  writer.data(0x52, encoded);
  writer.text(0x5a, facts.decidedBy);
  writer.varint(0x60, facts.critical ? 1 : 0);
  for (const { person, address, name, size: length } of people) {
    writer.head(0x6a, length);
    writer.text(0x0a, person.id);
    writer.text(0x12, person.address, address);
    writer.text(0x1a, person.displayName, name);
  }
  return writer.bytes;
}
