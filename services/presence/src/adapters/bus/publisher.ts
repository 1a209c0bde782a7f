import { create, toBinary } from '@bufbuild/protobuf';
import { type Bus, type LevelToken, subjects } from '@parley/bus';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import type { Level } from '../../domain/person.ts';
import type { Publisher } from '../../ports/publisher.ts';

export function busPublisher(bus: Bus): Publisher {
  return {
    publish({ personId, level, view }, traceparent) {
      const token = LEVEL_TOKEN[level];
      if (token === undefined) return;
      const envelope = create(PresenceEnvelopeSchema, {
        revision: BigInt(view.rev),
        aclRevision: BigInt(view.acl),
        view: view.bytes,
      });
      const data = toBinary(PresenceEnvelopeSchema, envelope);
      bus.publish(subjects.presence(personId, token), data, traceparent === undefined ? undefined : { traceparent });
    },
  };
}

/** Nobody watches the blocked level: it never changes. */
const LEVEL_TOKEN: Readonly<Record<Level, LevelToken | undefined>> = {
  external: 'external',
  colleagues: 'colleagues',
  workgroup: 'workgroup',
  friends: 'friends',
  blocked: undefined,
};
