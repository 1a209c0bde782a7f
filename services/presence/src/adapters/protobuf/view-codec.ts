import { create, toBinary } from '@bufbuild/protobuf';
import { DeviceType, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import type { Device } from '../../domain/person.ts';
import type { ViewCodec } from '../../domain/views.ts';

const DEVICE: Readonly<Record<Device, DeviceType>> = {
  computer: DeviceType.COMPUTER,
  web: DeviceType.WEB,
  mobile: DeviceType.MOBILE,
  'desk-phone': DeviceType.DESK_PHONE,
};

/** Tag of PresenceView.revision: field 8, varint. */
const REVISION_TAG = (8 << 3) | 0;

/**
 * Views as encoded `PresenceView`. The revision stands last, whatever its field number (protobuf allows any order), so
 * that a view is encoded once, compared with the last one without decoding that, and stamped by adding a few bytes.
 */
export const viewCodec: ViewCodec = {
  encode(view) {
    return toBinary(
      PresenceViewSchema,
      create(PresenceViewSchema, {
        personId: view.personId,
        availability: view.availability,
        activity: view.activity,
        note: view.note,
        noteSetMs: BigInt(view.noteSetAt),
        device: view.device === undefined ? DeviceType.UNSPECIFIED : DEVICE[view.device],
        lastActiveMs: BigInt(view.lastActiveAt),
        mobileOnly: view.mobileOnly,
      }),
    );
  },
  stamp(view, revision) {
    if (revision === 0) return view;
    const size = varintSize(revision);
    const bytes = new Uint8Array(view.length + 1 + size);
    bytes.set(view);
    bytes[view.length] = REVISION_TAG;
    let rest = revision;
    for (let i = view.length + 1; i < bytes.length; i++) {
      const last = i === bytes.length - 1;
      bytes[i] = (rest % 128) + (last ? 0 : 128);
      rest = Math.floor(rest / 128);
    }
    return bytes;
  },
  isStamped(stamped, view, revision) {
    if (stamped.length !== view.length + (revision === 0 ? 0 : 1 + varintSize(revision))) return false;
    for (let i = 0; i < view.length; i++) if (stamped[i] !== view[i]) return false;
    return true;
  },
};

/** Bytes of a number as varint; numbers are exact to 2^53. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
