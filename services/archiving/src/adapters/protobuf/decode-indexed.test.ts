import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordOf } from '../../testing/records.ts';
import { decodeFull } from './decode-full.ts';
import { decodeIndexed } from './decode-indexed.ts';

const people = [
  { id: 'ann', address: 'ann@north.example', displayName: '安' },
  { id: 'bob', address: 'bob@north.example', displayName: 'Bob' },
];
const bytes = recordOf({ id: 'ann.1', text: '明天 at nine 👍', people });

describe('the decoder for the index', () => {
  it('reads what protobuf-es wrote', () => {
    assert.deepEqual(decodeIndexed(bytes), {
      ...{ conversationId: 'd_1', senderId: 'ann', recipientIds: ['ann', 'bob'], acceptedMs: 1_767_600_000_000 },
      people: people.map(({ id, address }) => ({ id, address })),
      text: '明天 at nine 👍',
    });
  });

  it('passes over fields that a later version has added', () => {
    const later = Buffer.concat([bytes, Buffer.from('f00101', 'hex'), Buffer.from('fa01026869', 'hex')]);
    assert.equal(decodeIndexed(later)?.text, '明天 at nine 👍');
  });

  it('never reads something else than protobuf-es does, whatever the bytes', () => {
    let [read, seed] = [0, 1];
    const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    for (let i = 0; i < 20_000; i++) {
      const changed = Buffer.from(bytes);
      for (let n = random(3); n >= 0; n--) changed[random(changed.length)] = random(256);
      const cut = random(4) === 0 ? changed.subarray(0, random(changed.length)) : changed;
      const [found, expected] = [decodeIndexed(cut), decodeFull(cut)];
      if (!found || !expected || expected.eventKind === '') continue;
      read++;
      assert.equal(found.text, expected.text);
      assert.deepEqual(found.recipientIds, expected.recipientIds);
      assert.deepEqual(
        found.people,
        expected.people.map(({ id, address }) => ({ id, address })),
      );
    }
    assert.ok(read > 1_000);
  });
});

describe('the decoder of whole records', () => {
  it('reads the record and the event in it', () => {
    const found = decodeFull(bytes);
    assert.equal(found?.text, '明天 at nine 👍');
    assert.equal(found.eventKind, 'message');
    assert.equal(found.decidedBy, 'global');
    assert.deepEqual(found.people[0]?.displayName, '安');
  });

  it('reads nothing out of noise', () => {
    assert.equal(decodeFull(Buffer.from('noise that is no record')), undefined);
  });
});
