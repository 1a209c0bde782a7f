import { fromBinary } from '@bufbuild/protobuf';
import { type Bus, type BusMessage, subjects } from '@parley/bus';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import type { Module } from '@parley/runtime';
import type { PeopleCache } from '../app/people-cache.ts';

const EVERYBODY = '_global';

/** Drops what is known of people when the directory says that it changed, or when such a word may have been lost. */
export function directoryChanged(bus: Bus, people: PeopleCache): Module {
  let undo: (() => void)[] = [];
  const onMessage = (message: BusMessage) => {
    const id = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    if (id === EVERYBODY) return people.clear();
    people.invalidate(id, versionOf(message.data));
  };
  return {
    name: 'im.directory-changed',
    async start() {
      const subscription = bus.subscribe(subjects.allDirectoryChanged, onMessage);
      const stopListening = bus.onContinuity(event => {
        if (event.kind !== 'slow-consumer' || event.pattern === subjects.allDirectoryChanged) people.clear();
      });
      undo = [() => subscription.unsubscribe(), stopListening];
      await bus.flush();
    },
    async stop() {
      for (const step of undo) step();
      undo = [];
    },
  };
}

function versionOf(data: Uint8Array): number {
  try {
    return Number(fromBinary(DirectoryChangedSchema, data).version);
  } catch {
    return 0;
  }
}
