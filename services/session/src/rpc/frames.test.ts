import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ImEventSchema } from '@parley/contracts/im/v1/im';
import { PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { SessionEventSchema } from '@parley/contracts/session/v1/session';
import { frames } from './frames.ts';

describe('frames', () => {
  it('wrapped without decoding are the bytes that encoding would give, at every length of the length', () => {
    for (const length of [0, 1, 100, 122, 123, 124, 300, 16_370, 16_390, 300_000]) {
      const view = create(PresenceViewSchema, { note: 'n'.repeat(length), revision: 7n });
      const expected = toBinary(
        SessionEventSchema,
        create(SessionEventSchema, { event: { case: 'presence', value: view } }),
      );
      assert.deepEqual(Buffer.from(frames.presence(toBinary(PresenceViewSchema, view))), Buffer.from(expected));
    }
  });

  it('of instant messages carry the event whole', () => {
    const event = create(ImEventSchema, { id: 'a.b', conversationId: 'c' });
    const read = fromBinary(SessionEventSchema, frames.im(toBinary(ImEventSchema, event)));
    assert.deepEqual(read.event, { case: 'im', value: event });
  });
});
