import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import {
  type ImEventKind,
  ImEventSchema,
  type Importance,
  MessageContentSchema,
  type TextFormat,
} from '@parley/contracts/im/v1/im';
import type { Event } from '../../domain/event.ts';
import type { Person } from '../../domain/person.ts';
import { protobufCodec as codec } from './codec.ts';

const texts = [
  '',
  'x',
  'Hello, world',
  '你好，世界',
  '👩‍👩‍👧 ok',
  'a'.repeat(127),
  'a'.repeat(128),
  '字'.repeat(8_000),
  'é'.repeat(64),
];

function eventOf(text: string, more: Partial<Event> = {}): Event {
  return {
    id: 'ann.0b5e9ab8-2c0f-4b52-8e3a-9c1d2e3f4a5b',
    kind: 1,
    conversationId: 'd_123456789012345678901234',
    senderId: 'ann',
    key: '0000000000000abcde',
    acceptedMs: 1_767_600_000_123,
    content: { text, format: 1, importance: 2 },
    recipientIds: ['ann', 'bob'],
    ...more,
  };
}

const contentOf = ({ content }: Event) =>
  create(MessageContentSchema, {
    text: content.text,
    format: content.format as TextFormat,
    importance: content.importance as Importance,
  });

const personOf = (id: string, displayName: string): Person => ({
  ...{ id, enabled: true, internal: true, site: '', displayName, address: `${id}@bücher.example`, version: 1 },
  archiving: { internal: true, external: true, critical: true, scope: 'global' },
});

const variants = [
  ...texts.map(text => eventOf(text)),
  eventOf('x', { acceptedMs: 0, kind: 0, recipientIds: [], content: { text: 'x', format: 0, importance: 0 } }),
  eventOf('x', { acceptedMs: 2 ** 53 - 1, id: 'a'.repeat(130), recipientIds: ['', 'b'] }),
];

describe('the encoder by hand', () => {
  it('writes events byte for byte as protobuf-es does', () => {
    for (const event of variants) {
      const expected = toBinary(
        ImEventSchema,
        create(ImEventSchema, {
          ...{
            id: event.id,
            kind: event.kind as ImEventKind,
            conversationId: event.conversationId,
            senderId: event.senderId,
          },
          ...{
            key: event.key,
            acceptedMs: BigInt(event.acceptedMs),
            content: contentOf(event),
          },
          recipientIds: [...event.recipientIds],
        }),
      );
      assert.deepEqual(Buffer.from(codec.event(event)), Buffer.from(expected), event.content.text.slice(0, 20));
    }
  });

  it('writes archive records byte for byte as protobuf-es does', () => {
    for (const event of variants) {
      for (const critical of [true, false]) {
        const people = critical ? [personOf('ann', '安'), personOf('bob', '')] : [];
        const encoded = codec.event(event);
        const facts = {
          hash: new Uint8Array(critical ? 32 : 0).fill(7),
          decidedBy: critical ? 'person:ann' : '',
          critical,
          people,
        };
        const expected = toBinary(
          ArchiveRecordSchema,
          create(ArchiveRecordSchema, {
            ...{
              version: 1,
              recordId: event.id,
              kind: ArchiveRecordKind.IM_EVENT,
              conversationId: event.conversationId,
            },
            ...{ senderId: event.senderId, recipientIds: [...event.recipientIds], key: event.key },
            ...{ acceptedMs: BigInt(event.acceptedMs), contentHash: facts.hash, event: encoded },
            ...{ decidedBy: facts.decidedBy, critical },
            people: people.map(p => ({ id: p.id, address: p.address, displayName: p.displayName })),
          }),
        );
        assert.deepEqual(Buffer.from(codec.record(event, encoded, facts)), Buffer.from(expected));
      }
    }
  });
});

describe('the codec', () => {
  const facts = {
    hash: new Uint8Array(32).fill(1),
    decidedBy: 'global',
    critical: true,
    people: [personOf('ann', 'Ann')],
  };

  it('reads back what it wrote', () => {
    const event = eventOf('hi 你好');
    assert.deepEqual(codec.decodeEvent(codec.event(event)), event);
    const record = codec.decodeRecord(codec.record(event, codec.event(event), facts));
    assert.equal(record?.kind, 'event');
    assert.equal(record?.recordId, event.id);
    assert.deepEqual(record && codec.decodeEvent(record.event), event);
  });

  it('changes the kind of a record and nothing else', () => {
    const event = eventOf('hi');
    const bytes = codec.record(event, codec.event(event), facts);
    const turned = codec.withKind(bytes, 'not-accepted');
    assert.equal(fromBinary(ArchiveRecordSchema, turned).kind, ArchiveRecordKind.NOT_ACCEPTED);
    assert.deepEqual(Buffer.from(codec.withKind(turned, 'event')), Buffer.from(bytes));
  });

  it('knows what is no record', () => {
    for (const bad of [new Uint8Array(), Buffer.from('ff', 'hex'), Buffer.from('not a record')])
      assert.equal(codec.decodeRecord(bad), undefined);
  });
});
