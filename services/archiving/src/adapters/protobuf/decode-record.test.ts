import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { decodeRecord } from './decode-record.ts';

const full = toBinary(
  ArchiveRecordSchema,
  create(ArchiveRecordSchema, {
    ...{
      version: 1,
      recordId: 'ann.0b5e9ab8',
      kind: ArchiveRecordKind.IM_EVENT,
      conversationId: 'd_1',
      senderId: 'ann',
    },
    ...{
      recipientIds: ['ann', 'bob', ''],
      key: 'k',
      acceptedMs: 1_767_600_000_123n,
      contentHash: new Uint8Array(32).fill(9),
    },
    ...{ event: Buffer.alloc(300, 7), decidedBy: 'person:ann', critical: true },
    people: [{ id: 'ann', address: 'ann@north.example', displayName: '安' }],
  }),
);

/** What protobuf-es reads; undefined when it reads nothing that can be filed. */
function reference(bytes: Uint8Array) {
  try {
    const r = fromBinary(ArchiveRecordSchema, bytes);
    return { recordId: r.recordId, kind: r.kind, acceptedMs: Number(r.acceptedMs), recipientIds: r.recipientIds };
  } catch {
    return undefined;
  }
}

describe('the decoder by hand', () => {
  it('reads what protobuf-es wrote', () => {
    assert.deepEqual(decodeRecord(full), {
      kind: 'event',
      recordId: 'ann.0b5e9ab8',
      conversationId: 'd_1',
      senderId: 'ann',
      recipientIds: ['ann', 'bob', ''],
      acceptedMs: 1_767_600_000_123,
      contentHash: Buffer.alloc(32, 9),
    });
  });

  it('passes over fields that a later version has added', () => {
    const later = Buffer.concat([
      full,
      Buffer.from('f00101', 'hex'),
      Buffer.from('fa01026869', 'hex'),
      Buffer.from('fd0100000000', 'hex'),
    ]);
    assert.equal(decodeRecord(later)?.recordId, 'ann.0b5e9ab8');
  });

  it('never reads something else than protobuf-es does, whatever the bytes', () => {
    let read = 0;
    let seed = 1;
    const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(full);
      for (let n = random(3); n >= 0; n--) bytes[random(bytes.length)] = random(256);
      const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
      const found = decodeRecord(cut);
      const expected = reference(cut);
      if (!found || !expected) continue;
      read++;
      const kind = found.kind === 'event' ? ArchiveRecordKind.IM_EVENT : ArchiveRecordKind.NOT_ACCEPTED;
      assert.deepEqual(
        { ...expected },
        { recordId: found.recordId, kind, acceptedMs: found.acceptedMs, recipientIds: found.recipientIds },
      );
    }
    assert.ok(read > 1_000);
  });

  it('refuses what is cut short, of another kind, without a hash or with ids that no id can be', () => {
    for (const end of [0, 1, 5, 20, full.length - 1])
      assert.equal(decodeRecord(full.subarray(0, end)), undefined, `${end}`);
    const change = (init: object) => {
      const record = fromBinary(ArchiveRecordSchema, full);
      return decodeRecord(toBinary(ArchiveRecordSchema, Object.assign(record, init)));
    };
    assert.notEqual(change({}), undefined);
    for (const init of [
      { kind: 9 },
      { version: 0 },
      { recordId: '' },
      { recordId: 'a b' },
      { recordId: 'a'.repeat(200) },
      { contentHash: new Uint8Array(31) },
      { conversationId: 'a\0' },
      { recipientIds: ['é'] },
    ])
      assert.equal(change(init), undefined, JSON.stringify(init));
  });
});
