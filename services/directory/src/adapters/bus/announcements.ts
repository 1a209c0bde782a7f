import { create, toBinary } from '@bufbuild/protobuf';
import { type Bus, subjects } from '@parley/bus';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import { injectTrace } from '@parley/rpc';
import type { Announcements } from '../../ports/announcements.ts';

const everybody = '_global';

export function createAnnouncements(bus: Bus): Announcements {
  return {
    personChanged({ personId, version, disabled, endedSignInIds, allSignInsEnded, traceparent }) {
      const event = create(DirectoryChangedSchema, {
        version: BigInt(version),
        disabled: disabled ?? false,
        endedSignInIds: [...(endedSignInIds ?? [])],
        allSignInsEnded: allSignInsEnded ?? false,
      });
      const bytes = toBinary(DirectoryChangedSchema, event);
      bus.publish(subjects.directoryChanged(personId), bytes, injectTrace({}, traceparent));
    },
    everybodyChanged(version, traceparent) {
      const bytes = toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, { version: BigInt(version) }));
      bus.publish(subjects.directoryChanged(everybody), bytes, injectTrace({}, traceparent));
    },
  };
}
