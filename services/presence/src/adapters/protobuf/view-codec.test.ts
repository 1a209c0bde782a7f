import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { DeviceType, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { offlineView, type View } from '../../domain/project.ts';
import { viewCodec } from './view-codec.ts';

const view: View = {
  personId: 'p',
  availability: 15500,
  activity: 'off-work',
  note: '明天見 👋',
  noteSetAt: 1_767_600_000_000,
  device: 'desk-phone',
  lastActiveAt: 1_767_600_000_001,
  mobileOnly: true,
};

describe('the bytes of a view', () => {
  it('are a PresenceView with its revision, whatever the size of that', () => {
    for (const revision of [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      const { $typeName: _type, ...decoded } = fromBinary(
        PresenceViewSchema,
        viewCodec.stamp(viewCodec.encode(view), revision),
      );
      assert.deepEqual(decoded, {
        personId: 'p',
        availability: 15500,
        activity: 'off-work',
        note: '明天見 👋',
        noteSetMs: 1_767_600_000_000n,
        device: DeviceType.DESK_PHONE,
        lastActiveMs: 1_767_600_000_001n,
        revision: BigInt(revision),
        customActivity: {},
        mobileOnly: true,
      });
    }
  });

  it('are told from those of any other view', () => {
    const encoded = viewCodec.encode(view);
    for (const revision of [0, 5, 1000]) {
      const stamped = viewCodec.stamp(encoded, revision);
      assert.equal(viewCodec.isStamped(stamped, encoded, revision), true);
      for (const other of [
        { ...view, availability: 15501 },
        { ...view, note: '' },
        { ...view, mobileOnly: false },
        offlineView('p'),
      ])
        assert.equal(viewCodec.isStamped(stamped, viewCodec.encode(other), revision), false);
    }
  });
});
