import { fromBinary } from '@bufbuild/protobuf';
import { type Bus, type LevelToken, subjects } from '@parley/bus';
import { DirectoryChangedSchema, PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import { COLLEAGUES, EXTERNAL, FRIENDS, type PublishedLevel, WORKGROUP } from '../../domain/level.ts';
import type { SessionEvents } from '../../events.ts';
import type { Hints, Stop } from '../../ports/hints.ts';
import { decodeCommand, encodeCommand } from './commands.ts';

const TOKENS: Readonly<Record<PublishedLevel, LevelToken>> = {
  [EXTERNAL]: 'external',
  [COLLEAGUES]: 'colleagues',
  [WORKGROUP]: 'workgroup',
  [FRIENDS]: 'friends',
};

/** Hints over the bus. What cannot be read is counted and left out: it may be of a later version. */
export function createBusHints(bus: Bus, events: SessionEvents): Hints {
  function on<T>(subject: string, read: (data: Uint8Array, subject: string) => T | undefined, handler: (t: T) => void) {
    const subscription = bus.subscribe(subject, message => {
      let value: T | undefined;
      try {
        value = read(message.data, message.subject);
      } catch {
        return events.change('unreadable');
      }
      if (value !== undefined) handler(value);
    });
    return () => subscription.unsubscribe();
  }

  return {
    publishCommand: (sessionId, command, traceparent) =>
      bus.publish(
        subjects.sessionCommand(sessionId),
        encodeCommand(command),
        traceparent ? { traceparent } : undefined,
      ),
    onCommand: (sessionId, handler) => on(subjects.sessionCommand(sessionId), decodeCommand, handler),
    onIm(personId, handler): Stop {
      const subscription = bus.subscribe(subjects.im(personId), message => handler(message.data));
      return () => subscription.unsubscribe();
    },
    onPresence: (personId, level, handler) =>
      on(
        subjects.presence(personId, TOKENS[level]),
        data => {
          const { revision, aclRevision, view } = fromBinary(PresenceEnvelopeSchema, data);
          return { revision: Number(revision), aclRevision: Number(aclRevision), view };
        },
        handler,
      ),
    onSignInsChanged: handler =>
      on(
        subjects.allDirectoryChanged,
        (data, subject) => {
          const change = fromBinary(DirectoryChangedSchema, data);
          return {
            personId: subject.slice(subject.lastIndexOf('.') + 1),
            all: change.disabled || change.allSignInsEnded,
            endedSignInIds: change.endedSignInIds,
          };
        },
        handler,
      ),
    onLoss: handler => bus.onContinuity(event => handler(event.kind)),
    flush: () => bus.flush(),
    get connected() {
      return bus.connected;
    },
  };
}
